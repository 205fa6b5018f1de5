import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { planShards } from '../../src/checkpoint/safetensors/shards.js';
import { readConfig } from '../../src/model/read-config.js';
import { modelMatrices, namedVocabulary } from '../../src/model/matrices.js';

/**
 * Writes a checkpoint whose f16 tensors are one hole in a file: it takes no room on a disk that knows holes.
 *
 * @param folder that is there and empty
 * @param json what is to be its config.json
 * @returns bytes of the file with the tensors
 */
export function writeHole(folder: string, json: Readonly<Record<string, unknown>>): number {
  const config = readConfig({ config: json, configName: 'the configuration' });
  const tensors = modelMatrices(config, namedVocabulary(config)).flatMap(({ source: { parts, cols } }) =>
    parts.map(({ tensor, rows }) => ({
      name: tensor,
      dtype: 'F16' as const,
      shape: cols === 1 ? [rows] : [rows, cols],
    })),
  );
  const { files } = planShards([tensors], { format: 'pt' }, Infinity);
  if (files.length !== 1) throw new Error('one file was to be planned');
  const [{ name, header, bytes }] = files;
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  const file = openSync(join(folder, name), 'w');
  writeSync(file, header);
  ftruncateSync(file, bytes);
  closeSync(file);
  return bytes;
}

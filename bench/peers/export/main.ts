import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../../../src/checkpoint/open.js';
import { RidgepointError } from '../../../src/errors.js';
import { readConfig } from '../../../src/model/read-config.js';
import { openFolder } from '../../../src/platform/node/files.js';
import { packageRoot } from '../../../src/platform/node/package-root.js';
import { writeGguf } from './gguf.js';
import { writeOnnx } from './onnx.js';
import { writeSynthetic } from './synthetic.js';

const USAGE = 'node dist/bench/peers/export/main.js <preset or folder> <output folder> [--gguf] [--onnx]';

/** A safetensors folder of the model: the one given, or one made here from a preset's shape. */
function checkpointFolder(model: string, output: string): string {
  if (existsSync(join(model, 'config.json'))) return resolve(model);
  const presets = JSON.parse(readFileSync(join(packageRoot(), 'models', 'presets.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const config = presets[model];
  if (config === undefined) {
    throw new RidgepointError(
      'usage',
      `${model}: neither a model folder nor a preset; presets are ${Object.keys(presets).join(', ')}`,
    );
  }
  if (!existsSync(join(output, 'model.safetensors'))) writeSynthetic(config, output);
  return output;
}

/** Makes what is not there yet, and prints where the checkpoint is. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { gguf: { type: 'boolean' }, onnx: { type: 'boolean' } },
  });
  if (positionals.length !== 2) throw new RidgepointError('usage', `two arguments are needed: ${USAGE}`);
  const [model, output] = positionals;
  mkdirSync(output, { recursive: true });
  const path = checkpointFolder(model, output);
  const folder = await openFolder(path);
  const json: unknown = JSON.parse((await folder.readText('config.json')) ?? 'null');
  const config = readConfig({ config: json, configName: 'config.json' });
  const checkpoint = await openCheckpoint(folder);
  const gguf = join(output, 'model.gguf');
  if (values.gguf && !existsSync(gguf)) await writeGguf(basename(path), config, checkpoint, gguf);
  const onnx = join(output, 'onnx', 'model_fp16.onnx');
  if (values.onnx && !existsSync(onnx)) {
    mkdirSync(join(output, 'onnx'), { recursive: true });
    if (path !== output) copyFileSync(join(path, 'config.json'), join(output, 'config.json'));
    await writeOnnx(basename(path), config, checkpoint, onnx);
  }
  await checkpoint.close();
  console.log(path);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof RidgepointError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

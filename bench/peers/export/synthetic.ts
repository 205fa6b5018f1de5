import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { f32ToF16 } from '../../../src/checkpoint/float.js';
import { seedOf } from '../../../src/seed.js';
import { readConfig } from '../../../src/model/read-config.js';
import { FileWriter } from './file-writer.js';
import { llamaTensors, type LlamaTensor } from './tensors.js';

const F16_ONE = 0x3c00;
/** Distinct values of a weight, as few bits as keep two of them to one hash. */
const LEVELS = 1 << 11;

/**
 * Pseudo-random f16 weights that keep activations of order one: uniform, of variance 1 / inputs, of a bias 1 / its size;
 * ones for a norm. Every
 * engine reads them from a file, so they need not be those that `--weights synthetic` makes on the GPU.
 */
export function syntheticTensor({ role, name, shape }: LlamaTensor): Uint16Array<ArrayBuffer> {
  if (shape.length === 1 && !role.endsWith('Bias')) return new Uint16Array(shape[0]).fill(F16_ONE);
  const [cols, rows = 1] = [...shape].reverse();
  const amplitude = Math.sqrt(3 / cols);
  const values = Float32Array.from({ length: LEVELS }, (_, i) => ((2 * i + 1) / LEVELS - 1) * amplitude);
  const levels = Uint16Array.from(new Uint32Array(values.buffer), f32ToF16);
  const out = new Uint16Array(rows * cols);
  // xorshift32 (Marsaglia 2003); its state must not be zero.
  let state = seedOf(name) | 1;
  for (let i = 0; i < out.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = levels[state >>> 21];
  }
  return out;
}

/**
 * Writes a model folder (`config.json`, `model.safetensors`) of a configuration's shape with pseudo-random weights.
 *
 * @param json a Hugging Face `config.json`
 */
export function writeSynthetic(json: unknown, folder: string): void {
  const tensors = llamaTensors(readConfig({ config: json, configName: 'config.json' }));
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const { name, shape } of tensors) {
    const end = at + 2 * shape.reduce((product, extent) => product * extent, 1);
    header[name] = { dtype: 'F16', shape, data_offsets: [at, end] };
    at = end;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(json, undefined, 2)}\n`);
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(head.length), true);
  const file = new FileWriter(join(folder, 'model.safetensors'));
  file.write(length);
  file.write(head);
  for (const tensor of tensors) file.write(new Uint8Array(syntheticTensor(tensor).buffer));
  file.finish();
}

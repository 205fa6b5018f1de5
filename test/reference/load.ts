/**
 * Reads whole safetensors files into float64. It shares no code with `src/checkpoint`, so that a mistake there cannot
 * hide here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/model/config.js';
import { ReferenceLlama } from './llama.js';

/** Path of a file or folder of the test data beside the repository, or undefined where it is absent. */
export function sharedData(path: string): string | undefined {
  const full = fileURLToPath(new URL(`../../../shared/data/${path}`, import.meta.url));
  return existsSync(full) ? full : undefined;
}

/** Path inside the repository. */
export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** The value of the IEEE 754 binary16 number with these 16 bits. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const readers: Record<string, { bytes: number; read: (view: DataView, at: number) => number }> = {
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, read: (view, at) => float16(view.getUint16(at, true)) },
  BF16: {
    bytes: 2,
    read: (view, at) => {
      const word = new DataView(new ArrayBuffer(4));
      word.setUint16(0, view.getUint16(at, true)); // bfloat16 is the upper half of a float32
      return word.getFloat32(0);
    },
  },
};

/** All tensors of one safetensors file by name, F32, F16 or BF16, each flattened in row-major order. */
export function loadSafetensors(path: string): Record<string, Float64Array> {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const tensors: Record<string, Float64Array> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { bytes, read } = readers[entry.dtype];
    const [begin, end] = entry.data_offsets;
    const view = new DataView(file.buffer, file.byteOffset + 8 + headerLength + begin, end - begin);
    tensors[name] = Float64Array.from({ length: (end - begin) / bytes }, (_, i) => read(view, i * bytes));
  }
  return tensors;
}

/** The reference model of a folder with a `config.json` and one safetensors file. */
export function loadReferenceLlama(folder: string, file = 'model.safetensors'): ReferenceLlama {
  const config = parseConfig(JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')));
  return new ReferenceLlama(config, loadSafetensors(`${folder}/${file}`));
}

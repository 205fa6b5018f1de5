import type { Gpu } from '../../src/gpu/gpu.js';

/** Bits of a NaN that no kernel computes: what stays in a word that nobody wrote. */
export const POISON = 0x7fc0dead;

type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** Storage holding `words`, which may be followed by `extra` poisoned bytes that no kernel should care about. */
export function storageOf(gpu: Gpu, label: string, words: Words, extra = 0): GPUBuffer {
  const buffer = gpu.storage(label, words.byteLength + extra);
  const bytes = new Uint32Array(buffer.size / 4).fill(POISON);
  new Uint8Array(bytes.buffer).set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  gpu.queue.writeBuffer(buffer, 0, bytes);
  return buffer;
}

/** Storage of `words` 32-bit words, each the poison. */
export function poisoned(gpu: Gpu, label: string, words: number): GPUBuffer {
  return storageOf(gpu, label, new Uint32Array(words).fill(POISON));
}

/** Records into one compute pass and submits it. */
export function submit(gpu: Gpu, record: (pass: GPUComputePassEncoder) => void): void {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  record(pass);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
}

export async function readFloats(gpu: Gpu, buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await gpu.read(buffer));
}

export async function readWords(gpu: Gpu, buffer: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
  return new Uint32Array(await gpu.read(buffer));
}

/** Runs `body` and frees every buffer allocated meanwhile through `gpu`. Not for tests that run at the same time. */
export async function freeingAll<T>(gpu: Gpu, body: () => Promise<T>): Promise<T> {
  const made: GPUBuffer[] = [];
  const original = gpu.buffer.bind(gpu);
  gpu.buffer = (...args) => {
    const buffer = original(...args);
    made.push(buffer);
    return buffer;
  };
  try {
    return await body();
  } finally {
    gpu.buffer = original;
    for (const buffer of made) gpu.free(buffer);
  }
}

/** Rows [rows, cols] with a longer stride; what lies between is zero. */
export function strided(values: Float64Array, cols: number, stride: number): Float32Array<ArrayBuffer> {
  const rows = values.length / cols;
  const out = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) out.set(values.subarray(row * cols, (row + 1) * cols), row * stride);
  return out;
}

/** The first `cols` of each of `rows` rows. */
export function unstrided(words: Float32Array, rows: number, cols: number, stride: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) out.set(words.subarray(row * stride, row * stride + cols), row * cols);
  return out;
}

/** How many words outside the first `cols` of the first `rows` rows are no longer the poison. */
export function touchedOutside(words: Uint32Array, rows: number, cols: number, stride: number): number {
  let touched = 0;
  for (let i = 0; i < words.length; i++) {
    const inside = Math.floor(i / stride) < rows && i % stride < cols;
    if (!inside && words[i] !== POISON) touched++;
  }
  return touched;
}

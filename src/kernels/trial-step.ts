import type { Gpu } from '../gpu/gpu.js';
import { halfWords } from '../quantization/halves.js';

/** Numbers of the step's head that a kernel under trial reads; those absent are 0. */
export interface TrialStep {
  readonly tokens?: number;
  readonly decodeRows?: number;
  readonly tiles?: number;
  readonly logitRows?: number;
  readonly splits?: number;
  readonly splitTokens?: number;
  readonly blocksPerSlot?: number;
}

/** A step's head as `common/step.wgsl` reads it. */
export function trialStep(gpu: Gpu, head: TrialStep): GPUBuffer {
  const { tokens = 0, decodeRows = 0, tiles = 0, logitRows = 0, splits = 0, splitTokens = 0, blocksPerSlot = 0 } = head;
  return gpu.uniform(
    'trial step',
    Uint32Array.of(tokens, decodeRows, tiles, logitRows, splits, splitTokens, blocksPerSlot, 0),
  );
}

/** Trial values come again after so many: a prime, so that no two rows of a matrix are alike. */
const PERIOD = 131_071;

/** Fills numbers with those they begin with, over and over. */
function repeat<T extends Float32Array | Uint16Array>(values: T): T {
  for (let at = PERIOD; at < values.length; at *= 2) values.copyWithin(at, 0, Math.min(at, values.length - at));
  return values;
}

/** Pseudo-random numbers in [-1, 1); the same on every machine, and of a larger count the first ones are the same. */
export function trialValues(count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = 0x2545f491;
  for (let i = 0; i < Math.min(count, PERIOD); i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state >>> 8) / 2 ** 23 - 1;
  }
  return repeat(values);
}

/** `trialValues` in f16, two to a word. @param count an even number */
export function trialHalves(count: number): Uint32Array<ArrayBuffer> {
  const halves = new Uint16Array(count);
  const first = Math.min(count, PERIOD + 1);
  halves.set(new Uint16Array(halfWords(trialValues(first + (first % 2))).buffer, 0, first));
  return new Uint32Array(repeat(halves).buffer);
}

/** Storage that holds numbers. */
export function trialStorage(
  gpu: Gpu,
  label: string,
  values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
): GPUBuffer {
  const buffer = gpu.storage(label, values.byteLength);
  gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** Storage that holds `trialValues`. */
export function trialFloats(gpu: Gpu, label: string, count: number): GPUBuffer {
  return trialStorage(gpu, label, trialValues(Math.ceil(count / 4) * 4));
}

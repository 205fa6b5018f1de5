import type { Gpu } from '../../gpu/gpu.js';

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

/** Pseudo-random numbers in [-1, 1); the same for the same count on every machine. */
export function trialValues(count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = 0x2545f491;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state >>> 8) / 2 ** 23 - 1;
  }
  return values;
}

/** Storage that holds `trialValues`. */
export function trialFloats(gpu: Gpu, label: string, count: number): GPUBuffer {
  const values = trialValues(Math.ceil(count / 4) * 4);
  const buffer = gpu.storage(label, values.byteLength);
  gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

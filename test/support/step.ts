import type { Gpu } from '../../src/gpu/gpu.js';
import { storageOf } from './buffers.js';

export { trialStep as stepUniform, type TrialStep as StepHead } from '../../src/kernels/trial-step.js';

/** One row of activations as `common/row.wgsl` reads it. */
export interface TestRow {
  readonly token?: number;
  readonly position?: number;
  readonly slot?: number;
  readonly kvIndex?: number;
}

export const TOKEN_FROM_SLOT = 0xffffffff;

export function rowsBuffer(gpu: Gpu, rows: readonly TestRow[]): GPUBuffer {
  const words = rows.flatMap(({ token = 0, position = 0, slot = 0, kvIndex = 0 }) => [token, position, slot, kvIndex]);
  return storageOf(gpu, 'rows', Uint32Array.from(words));
}

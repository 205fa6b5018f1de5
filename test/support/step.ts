import type { Gpu } from '../../src/gpu/gpu.js';
import { storageOf } from './buffers.js';

/** The head of a step as `common/step.wgsl` reads it. */
export interface StepHead {
  readonly tokens?: number;
  readonly decodeRows?: number;
  readonly tiles?: number;
  readonly logitRows?: number;
  readonly splits?: number;
  readonly splitTokens?: number;
  readonly blocksPerSlot?: number;
}

export function stepUniform(gpu: Gpu, head: StepHead): GPUBuffer {
  const { tokens = 0, decodeRows = 0, tiles = 0, logitRows = 0, splits = 0, splitTokens = 0, blocksPerSlot = 0 } = head;
  const words = Uint32Array.of(tokens, decodeRows, tiles, logitRows, splits, splitTokens, blocksPerSlot, 0);
  return gpu.uniform('step', words);
}

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

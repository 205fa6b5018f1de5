import type { Gpu } from '../../src/gpu/gpu.js';
import type { Timed } from '../../src/gpu/stopwatch.js';
import type { Units } from '../../src/kernels/variant.js';
import type { KernelRecord } from './schema.js';

/** A variant ready to be timed. */
export interface PointCandidate {
  readonly variant: string;
  readonly isDefault: boolean;
  /** What it computes with, whose rate is its ceiling of compute. */
  readonly units: Units;
  readonly timed: Timed;
}

/** What a variant is before anything of it was made. */
export interface Maker extends Omit<PointCandidate, 'timed'> {
  readonly make: () => Promise<Timed>;
}

/** One operation at one size, for which variants compete. */
export interface Point extends Pick<
  KernelRecord,
  'kind' | 'model' | 'operation' | 'shape' | 'slice' | 'dtype' | 'activations' | 'rows' | 'context' | 'bytes' | 'flops'
> {
  /**
   * Makes the data, and tells what can be made on it.
   *
   * @param workingBytes that data in rotation makes up together
   */
  prepare(gpu: Gpu, workingBytes: number): Promise<Maker[]>;
}

/** `matmul 4096x4096, 8 rows` */
export function pointId({ operation, shape, rows, context }: Point): string {
  return `${operation} ${shape}, ${rows} row${rows === 1 ? '' : 's'}${context > 0 ? ` after ${context}` : ''}`;
}

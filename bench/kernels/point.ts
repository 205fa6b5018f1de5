import type { Gpu } from '../../src/gpu/gpu.js';
import type { Timed } from '../../src/gpu/stopwatch.js';
import type { KernelRecord } from './schema.js';

/** Shader cores or subgroup matrices, in f32 (or f16 matrices) or in 8-bit integers. */
export type Units = 'shader' | 'matrix' | 'shader int8' | 'matrix int8';

/** A variant ready to be timed. */
export interface Candidate {
  readonly variant: string;
  readonly isDefault: boolean;
  /** What it computes with, whose rate is its ceiling of compute. */
  readonly units: Units;
  readonly timed: Timed;
}

/** What a variant is before anything of it was made. */
export interface Maker extends Omit<Candidate, 'timed'> {
  readonly make: () => Promise<Timed>;
}

export interface Preparing {
  /** Bytes that data in rotation makes up together. */
  readonly workingBytes: number;
  /** Whether a variant is wanted. */
  readonly wants: (variant: string) => boolean;
  /** Called for a variant that does not compile. */
  readonly refused: (variant: string, reason: string) => void;
}

/** One operation at one size, for which variants compete. */
export interface Point extends Pick<
  KernelRecord,
  'kind' | 'model' | 'operation' | 'shape' | 'slice' | 'dtype' | 'activations' | 'rows' | 'context' | 'bytes' | 'flops'
> {
  /** Makes data and pipelines. */
  prepare(gpu: Gpu, preparing: Preparing): Promise<Candidate[]>;
}

/** `matmul 4096x4096, 8 rows` */
export function pointId({ operation, shape, rows, context }: Point): string {
  return `${operation} ${shape}, ${rows} row${rows === 1 ? '' : 's'}${context > 0 ? ` after ${context}` : ''}`;
}

/** Collects the candidates that can be made; one that fails is said and left out. */
export async function candidates(makers: readonly Maker[], { wants, refused }: Preparing): Promise<Candidate[]> {
  const list: Candidate[] = [];
  for (const { make, ...rest } of makers) {
    if (!wants(rest.variant)) continue;
    try {
      list.push({ ...rest, timed: await make() });
    } catch (error) {
      refused(rest.variant, (error as Error).message);
    }
  }
  return list;
}

import { FEW_SEQUENCES } from '../src/kernels/matmul/choice.js';
import type { BenchPoint } from './plan.js';

/** Points that one engine measures. */
export interface EngineShare {
  /** Sequences it may run together. */
  readonly sequences: number;
  readonly points: readonly BenchPoint[];
}

const batchOf = (point: BenchPoint): number => (point.kind === 'tpot' || point.kind === 'operations' ? point.batch : 1);

/**
 * Deals points out to engines. On a GPU an engine for a few sequences may take other kernels than one for more, so that
 * a sequence alone is to be measured by an engine made for few; what has no batch goes with it. A CPU driver takes the
 * same for both and is spared the second loading, as is a plan that has batches of one kind only.
 */
export function enginesFor(
  points: readonly BenchPoint[],
  batches: readonly number[],
  isCpu: boolean,
): readonly EngineShare[] {
  const most = Math.max(...batches);
  const few = batches.filter((batch) => batch <= FEW_SEQUENCES);
  if (isCpu || few.length === 0 || few.length === batches.length) return [{ sequences: most, points }];
  const isFew = (point: BenchPoint): boolean => batchOf(point) <= FEW_SEQUENCES;
  const shares = [
    { sequences: Math.max(...few), points: points.filter(isFew) },
    { sequences: most, points: points.filter((point) => !isFew(point)) },
  ];
  return shares.filter((share) => share.points.length > 0);
}

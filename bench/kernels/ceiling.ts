import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import type { Units } from '../../src/kernels/variant.js';
import type { KernelRecord } from './schema.js';

/** The best rate of matrices with these operands and, where any are given, these sums. */
function matrixRate({ subgroupMatrix }: Calibration['ceilings'], component: string, result?: string): number {
  const rates = subgroupMatrix
    .filter(
      (each) => each.componentType === component && (result ?? each.resultComponentType) === each.resultComponentType,
    )
    .map(({ flopsPerSecond }) => flopsPerSecond);
  return Math.max(0, ...rates);
}

/** The rate of units, of slower ones where theirs is not known. */
function rateOf(ceilings: Calibration['ceilings'], units: Units): { name: string; rate: number } {
  const candidates: Record<Units, readonly (readonly [name: string, rate: number])[]> = {
    scalar: [],
    matrix: [
      ['subgroup matrix', matrixRate(ceilings, 'f16', 'f32')],
      ['subgroup matrix', matrixRate(ceilings, 'f16')],
    ],
    dot8: [['int8', ceilings.int8OpsPerSecond ?? 0]],
    matrix8: [['subgroup matrix int8', matrixRate(ceilings, 'i8', 'i32')]],
  };
  const [name, rate] = candidates[units].find((each) => each[1] > 0) ?? ['f32', ceilings.f32FlopsPerSecond];
  return { name, rate };
}

/**
 * The ceiling that binds a launch: the slower of moving its bytes at the calibrated read rate and computing its FLOPs
 * at the rate of the units it uses, as if the two overlapped in full.
 *
 * @param units what it uses; of subgroup matrices the best rate counts of those with f16 operands and f32 sums, or f16
 *   sums where there are no others, or of those of 8 bits
 */
export function ceilingOf(
  { ceilings }: Pick<Calibration, 'ceilings'>,
  { bytes, flops }: { bytes: number; flops: number },
  units: Units,
  seconds: number,
): KernelRecord['ceiling'] {
  const memory = bytes / ceilings.readBytesPerSecond;
  const roof = rateOf(ceilings, units);
  const compute = flops / roof.rate;
  const [name, bound, least] =
    memory >= compute ? (['memory read', 'memory', memory] as const) : ([roof.name, 'compute', compute] as const);
  return { name, bound, ms: 1000 * least, share: least / seconds };
}

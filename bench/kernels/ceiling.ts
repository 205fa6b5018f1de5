import type { Calibration } from '../../src/roofline/calibration.js';
import type { KernelRecord } from './schema.js';

/**
 * The ceiling that binds a launch: the slower of moving its bytes at the calibrated read rate and computing its FLOPs
 * at the rate of the units it uses, as if the two overlapped in full.
 *
 * @param matrix whether it uses subgroup matrices; the best rate counts of those with f16 operands and
 *   f32 sums, or f16 sums where there are no others
 */
export function ceilingOf(
  { ceilings }: Pick<Calibration, 'ceilings'>,
  { bytes, flops }: { bytes: number; flops: number },
  matrix: boolean,
  seconds: number,
): KernelRecord['ceiling'] {
  const half = ceilings.subgroupMatrix.filter(({ componentType }) => componentType === 'f16');
  const wide = half.filter(({ resultComponentType }) => resultComponentType === 'f32');
  const best = Math.max(0, ...(wide.length > 0 ? wide : half).map(({ flopsPerSecond }) => flopsPerSecond));
  const units =
    matrix && best > 0 ? { name: 'subgroup matrix', rate: best } : { name: 'f32', rate: ceilings.f32FlopsPerSecond };
  const memory = bytes / ceilings.readBytesPerSecond;
  const compute = flops / units.rate;
  const [name, bound, least] =
    memory >= compute ? (['memory read', 'memory', memory] as const) : ([units.name, 'compute', compute] as const);
  return { name, bound, ms: 1000 * least, share: least / seconds };
}

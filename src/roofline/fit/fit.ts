import type { Efficiency } from '../hardware/families.js';
import { softMaximum } from '../predict/overlap.js';
import { minimise } from './simplex.js';

/** A measured duration with what was computed and moved in it. */
export interface FitPoint {
  readonly flops: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Of a product, how many sums it computes. */
  readonly outputs?: number;
  /** How much its error counts beside that of others; 1 when absent. */
  readonly weight?: number;
}

export interface FitOptions {
  /** Seconds a launch takes, where known; fitted when absent. */
  readonly launchSeconds?: number;
  /** The exponent of the overlap, where known; fitted when absent. */
  readonly overlap?: number;
  /** Largest share of a ceiling that is believed; above 1 only where a cache serves what was counted as memory. */
  readonly maxCompute?: number;
  readonly maxBandwidth?: number;
  /** Whether an output costs something beside its sum; not by default. */
  readonly outputs?: boolean;
}

/** What is assumed of a parameter that the points say nothing about, and how weakly it pulls. */
const PRIOR = { compute: 0.7, bandwidth: 0.75, overlap: 3, outputFlops: 10, weight: 1e-5 } as const;
/** Beyond this the soft maximum is the plain one for every purpose. */
const MAX_OVERLAP = 32;

/** Seconds that an efficiency predicts for work of so many FLOPs and bytes. */
export function fittedSeconds(
  { flops, bytes, outputs = 0 }: Pick<FitPoint, 'flops' | 'bytes' | 'outputs'>,
  roof: number,
  bandwidth: number,
  efficiency: Efficiency,
): number {
  const compute = (flops + outputs * (efficiency.outputFlops ?? 0)) / (roof * efficiency.compute);
  const memory = bytes / (bandwidth * efficiency.bandwidth);
  return softMaximum(compute, memory, efficiency.overlap) + efficiency.launchSeconds;
}

/**
 * Fits t = ((flops / (c roof))^p + (bytes / (b bandwidth))^p)^(1/p) + launch to measurements, by least mean absolute
 * relative error; with what outputs cost, if wanted, among the flops.
 *
 * @param roof FLOP/s of the ceiling that compute efficiency is a share of
 * @param bandwidth bytes/s of the ceiling that bandwidth efficiency is a share of
 * @throws RangeError when there is no point, or one whose duration is not positive
 */
export function fit(
  points: readonly FitPoint[],
  roof: number,
  bandwidth: number,
  options: FitOptions = {},
): Efficiency {
  if (points.length === 0 || !points.every(({ seconds }) => seconds > 0)) {
    throw new RangeError('a fit needs measurements, each of a positive duration');
  }
  const { maxCompute = 1, maxBandwidth = 1.5, outputs = false } = options;
  const shortest = Math.min(...points.map(({ seconds }) => seconds));
  const efficiency = ([c, b, p, l, o]: readonly number[]): Efficiency => ({
    compute: Math.min(Math.exp(c), maxCompute),
    bandwidth: Math.min(Math.exp(b), maxBandwidth),
    overlap: options.overlap ?? Math.min(1 + Math.exp(p), MAX_OVERLAP),
    launchSeconds: options.launchSeconds ?? shortest / (1 + Math.exp(-l)),
    ...(outputs && { outputFlops: Math.exp(o) }),
  });
  const loss = (vector: readonly number[]): number => {
    const found = efficiency(vector);
    const error = meanError(points, roof, bandwidth, found);
    // Vectors outside the bounds cost, so that the search does not wander off where nothing changes.
    const outside = Math.max(0, Math.exp(vector[0]) - maxCompute) + Math.max(0, Math.exp(vector[1]) - maxBandwidth);
    const pull =
      Math.log(found.compute / PRIOR.compute) ** 2 +
      Math.log(found.bandwidth / PRIOR.bandwidth) ** 2 +
      Math.log(found.overlap / PRIOR.overlap) ** 2 +
      Math.log((found.outputFlops ?? PRIOR.outputFlops) / PRIOR.outputFlops) ** 2;
    return error + PRIOR.weight * (pull + vector[2] ** 2 * 1e-3 + vector[3] ** 2 * 1e-3) + outside;
  };
  const starts = [
    [0.7, 0.75, 3],
    [0.3, 0.9, 1.5],
    [0.05, 0.3, 8],
  ].map(([c, b, p]) => [
    ...[Math.log(c), Math.log(b), Math.log(p - 1), -3],
    ...(outputs ? [Math.log(PRIOR.outputFlops)] : []),
  ]);
  const found = starts.map((start) => minimise(loss, start));
  return efficiency(found.reduce((best, each) => (each.value < best.value ? each : best)).at);
}

/** Weighted mean of |predicted / measured - 1|. */
export function meanError(
  points: readonly FitPoint[],
  roof: number,
  bandwidth: number,
  efficiency: Efficiency,
): number {
  let [sum, weights] = [0, 0];
  for (const point of points) {
    const { weight = 1, seconds } = point;
    sum += weight * Math.abs(fittedSeconds(point, roof, bandwidth, efficiency) / seconds - 1);
    weights += weight;
  }
  return sum / weights;
}

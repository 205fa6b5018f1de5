import { forwardOperations } from '../../src/model/cost.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { efficiencyFamilyOf, kernelPhaseOf } from '../../src/roofline/hardware/efficiency.js';
import { KERNEL_FAMILIES, type KernelFamily } from '../../src/roofline/hardware/families.js';
import { fit, type FitPoint } from '../../src/roofline/fit/fit.js';
import { bytesOf, Pricer } from '../../src/roofline/predict/price.js';
import { takesHalfRows, type Hardware } from '../../src/roofline/hardware/hardware.js';
import { precisionOf } from '../../src/roofline/hardware/precision.js';
import { median } from '../../src/statistics.js';
import { stepOf } from '../compare/step-of.js';
import { phaseFelt } from '../compare/felt.js';
import { workOfOperation } from '../compare/pacing.js';
import { broughtToPace, DEFAULT_STATISTIC, represent, type ReferencePace } from '../compare/statistic.js';
import type { Measured } from '../measure/end-to-end.js';
import type { OperationsRecord } from '../schema.js';
import { kindOf } from '../tables/phases.js';
import type { EngineRuns } from './engine-runs.js';

/** Of a duration, what is at least taken to be the operation's own and not the profiler's. */
const LEAST_SHARE = 1 / 4;
/** Caches serve some of what is counted as memory: activations always, and weights of small models. */
const MAX_BANDWIDTH = 8;

type MeasuredMachine = Pick<Calibration, 'isCpu' | 'profiledSeconds'> & {
  readonly ceilings: Pick<Calibration['ceilings'], 'f32FlopsPerSecond' | 'readBytesPerSecond' | 'subgroupMatrix'>;
};

/**
 * Fits, for each family of kernels, the shares of the ceilings they reach, the overlap of compute and memory, and what
 * a launch costs. Layers are alike, so an operation's time is the median over layers; it weighs as much in the fit as it
 * does in its step.
 *
 * @param machine its ceilings, and what timing an operation by itself adds to it
 * @param reference the pace that durations are brought to, where it was timed around each
 * @param known efficiencies that tell how much of an operation is work; all of it where there are none yet
 */
export function kernelEfficiencies(
  runs: readonly EngineRuns[],
  { ceilings, isCpu, profiledSeconds = 0 }: MeasuredMachine,
  reference?: ReferencePace,
  known?: Hardware,
): Calibration['efficiencies'] {
  const pricer = known && new Pricer(known);
  const halfRows = takesHalfRows({ ceilings, isCpu });
  const points = new Map<KernelFamily, FitPoint[]>();
  for (const { engine, records } of runs) {
    const { dtype, headDtype, kvDtype } = engine.info;
    const precision = precisionOf({ weights: dtype, head: headDtype, kv: kvDtype, compute: 'f32', halfRows }, 'shader');
    for (const record of records) {
      if (record.kind !== 'operations') continue;
      const costs = new Map(
        forwardOperations(engine.config, stepOf(record), precision).map((each) => [each.name, each]),
      );
      const kinds = new Map<string, { times: number[]; name: string }>();
      for (const { name, samples_ns } of record.operations) {
        const kind = kinds.get(kindOf(name)) ?? { times: [], name };
        const operation = costs.get(name);
        const price = operation && pricer?.price(operation);
        const work = price === undefined ? 1 : workOfOperation(price.seconds, price.launchSeconds, profiledSeconds);
        const brought = broughtToPace(samples_ns, record.paces_ms, reference, { phase: phaseFelt(record), work });
        kind.times.push((brought ?? represent(samples_ns, DEFAULT_STATISTIC)) / 1e9);
        kinds.set(kindOf(name), kind);
      }
      const timingSeconds = isCpu ? timingCost(record) : profiledSeconds;
      const timed = [...kinds.values()].flatMap(({ times, name }) => {
        const operation = costs.get(name);
        const measured = median(times);
        if (operation === undefined || measured <= 0) return [];
        const seconds = Math.max(measured - timingSeconds, measured * LEAST_SHARE);
        return [{ operation, seconds, launches: times.length }];
      });
      const whole = timed.reduce((sum, { seconds, launches }) => sum + launches * seconds, 0);
      for (const { operation, seconds, launches } of timed) {
        const { kind, flops, m, n } = operation;
        const family = efficiencyFamilyOf(kind, kernelPhaseOf(operation));
        const outputs = kind === 'matmul' ? m * n : 0;
        const point = { flops, bytes: bytesOf(operation), seconds, outputs, weight: (launches * seconds) / whole };
        points.set(family, [...(points.get(family) ?? []), point]);
      }
    }
  }
  const { f32FlopsPerSecond, readBytesPerSecond, subgroupMatrix } = ceilings;
  // Kernels that use matrix units pass the roof of ordinary shader code.
  const maxCompute = Math.max(1, ...subgroupMatrix.map(({ flopsPerSecond }) => flopsPerSecond / f32FlopsPerSecond));
  return Object.fromEntries(
    KERNEL_FAMILIES.flatMap((family) => {
      const measured = points.get(family);
      if (measured === undefined) return [];
      const bounds = { maxCompute, maxBandwidth: MAX_BANDWIDTH, outputs: family.startsWith('matmul') };
      return [[family, fit(measured, f32FlopsPerSecond, readBytesPerSecond, bounds)]];
    }),
  );
}

/**
 * What timing an operation by itself adds to it in such a step: how much longer it took with than without, by the clock.
 * Beside a kernel that does nothing it takes a driver on the processor 0.13 ms; beside products of a millisecond and more,
 * hardly anything. Seconds.
 */
function timingCost({ profiled_ms, unprofiled_ms, operations }: Measured<OperationsRecord>): number {
  const longer = median(profiled_ms.map((ms, at) => ms - unprofiled_ms[at]));
  return Math.max(0, longer / operations.length / 1000);
}

import { PACE_PARTS, type Pace, type PacePart, type PaceRatios } from '../../src/roofline/hardware/pace.js';
import { DEFAULT_STATISTIC, represent, STATISTICS, type ReferencePace, type Statistic } from '../compare/statistic.js';

/** As results keep it: what stands for all, or multiply-adds and beside them the others. */
export interface PaceRecord {
  readonly kernel: string;
  readonly samples_ms: number[];
  readonly memory?: { kernel: string; samples_ms: number[] };
  readonly launch?: { kernel: string; samples_ms: number[] };
}

export const toMicroseconds = (ms: number): number => Math.round(1000 * ms) / 1000;

/** Samples of both, where they are of the same kernels. */
export function joinedPace(earlier: PaceRecord | undefined, later: PaceRecord | undefined): PaceRecord | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  const of = (part: PacePart) => {
    const [one, other] = [partOf(earlier, part), partOf(later, part)];
    if (one === undefined || other === undefined || one.kernel !== other.kernel) return other;
    return { kernel: other.kernel, samples_ms: [...one.samples_ms, ...other.samples_ms] };
  };
  const [compute, memory, launch] = PACE_PARTS.map(of);
  return { ...compute!, ...(memory && { memory }), ...(launch && { launch }) };
}

const partOf = <Of>(pace: { readonly kernel: string; readonly memory?: Of; readonly launch?: Of }, part: PacePart) =>
  part === 'compute' ? (pace as unknown as Of) : pace[part];

/**
 * The pace that a calibration's measurements are brought to. The middle one, so that most are brought no great way: how
 * much longer a step takes than the kernels differs with what the other guests do. Undefined where one is missing.
 */
export function middlePace(taken: PaceRecord): ReferencePace['ms'] | undefined {
  const samples = PACE_PARTS.map((part) => partOf(taken, part)?.samples_ms ?? []);
  if (samples.some((list) => list.length === 0)) return undefined;
  const [compute, memory, launch] = samples.map((list) => represent(list, 'median'));
  return { compute, memory, launch };
}

/** Whether both are of the same kernels. */
export const sameKernels = (now: PaceRecord, calibrated: Pace): boolean =>
  PACE_PARTS.every((part) => partOf(now, part)?.kernel === partOf(calibrated, part)?.kernel);

/** As calibrations keep it: what stands for the samples. @param broughtTo what measurements were brought to, if so */
export function paceOf(taken: PaceRecord | undefined, broughtTo?: ReferencePace): Pace | undefined {
  if (taken === undefined || taken.samples_ms.length === 0) return undefined;
  const of = ({ kernel, samples_ms }: { kernel: string; samples_ms: readonly number[] }) => ({
    kernel,
    ms: Object.fromEntries(STATISTICS.map((each) => [each, represent(samples_ms, each)])) as Record<Statistic, number>,
  });
  const { memory, launch } = taken;
  return {
    ...of(taken),
    ...(memory && { memory: of(memory) }),
    ...(launch && { launch: of(launch) }),
    ...(broughtTo !== undefined && { broughtTo }),
  };
}

/**
 * How many times as long the fixed kernels took as when the machine was calibrated; undefined where either does not say,
 * or another kernel was timed. Where only multiply-adds were timed on both sides, they stand for all.
 */
export function paceRatios(
  now: PaceRecord | undefined,
  calibrated: Pace | undefined,
  statistic: Statistic = DEFAULT_STATISTIC,
): PaceRatios | undefined {
  if (now === undefined || calibrated === undefined) return undefined;
  const { broughtTo } = calibrated;
  const ratio = (part: PacePart): number | undefined => {
    const [taken, then] = [partOf(now, part), partOf(calibrated, part)];
    if (taken === undefined || taken.kernel !== then?.kernel || taken.samples_ms.length === 0) return undefined;
    // Where each measurement was set beside a pace, the middle ones are what was brought to one.
    return broughtTo === undefined
      ? represent(taken.samples_ms, statistic) / then.ms[statistic]
      : represent(taken.samples_ms, 'median') / broughtTo.ms[part];
  };
  const compute = ratio('compute');
  if (compute === undefined) return undefined;
  return { compute, memory: ratio('memory') ?? compute, launch: ratio('launch') ?? compute };
}

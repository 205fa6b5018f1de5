import { priceStep } from '../../src/roofline/predict/predict.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import { bytesOf } from '../../src/roofline/predict/price.js';
import type { OperationsRecord } from '../schema.js';
import { kindOf } from '../tables/phases.js';
import type { Bound } from './points.js';
import { phaseFelt } from './felt.js';
import { workOfOperation } from './pacing.js';
import { stepOf } from './step-of.js';
import { broughtToPace, DEFAULT_STATISTIC, represent, type ReferencePace, type Statistic } from './statistic.js';

/** An operation as measured and as priced. */
export interface JoinedOperation {
  readonly name: string;
  /** Without its layer. */
  readonly kind: string;
  readonly launches: number;
  readonly measuredMs: number;
  readonly predictedMs: number;
  /** What was measured brought to the pace of the calibration; absent where the pace of each repetition is not known. */
  readonly atReferenceMs?: number;
  /** (predicted - measured) / measured */
  readonly error: number;
  /** The same with both at one pace; absent where the host's is not known. */
  readonly errorAtPace?: number;
  readonly bound: Bound;
  readonly flops: number;
  readonly bytes: number;
  /** FLOPs per byte. */
  readonly intensity: number;
  /** What the measured time comes to. */
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** A profiled step: one prefill, or one decode of a batch. */
export interface JoinedPhase {
  readonly id: string;
  readonly phase: 'prefill' | 'decode';
  readonly tokens: number;
  readonly batch: number;
  readonly context: number;
  /** Sums over operations: GPU time alone. */
  readonly measuredMs: number;
  readonly predictedMs: number;
  readonly error: number;
  readonly bound: Bound;
  /** Of the unprofiled step, from recording to the GPU being done: what the host adds to the sum shows here. */
  readonly stepMs: number;
  readonly operations: readonly JoinedOperation[];
  /** The same with layers added up, the longest first. */
  readonly kinds: readonly JoinedOperation[];
  /** Measured and not predicted, or the other way round; empty unless the two lists have drifted apart. */
  readonly unmatched: readonly string[];
}

/**
 * Joins a profile with the prices of the same step, by name.
 *
 * @param reference the pace that the prediction is for
 */
export function joinOperations(
  record: OperationsRecord,
  predictor: Predictor,
  statistic: Statistic = DEFAULT_STATISTIC,
  reference?: ReferencePace,
): JoinedPhase {
  const stepMs = represent(record.unprofiled_ms, statistic);
  // A profiled operation has a pass of its own.
  const { profiledSeconds = 0 } = predictor.hardware.host ?? {};
  const priced = new Map(priceStep(predictor, stepOf(record)).map((each) => [each.operation.name, each]));
  const operations = record.operations.flatMap(({ name, samples_ns }): JoinedOperation[] => {
    const found = priced.get(name);
    if (found === undefined) return [];
    const { operation, price } = found;
    const part = {
      phase: phaseFelt(record),
      work: workOfOperation(price.seconds, price.launchSeconds, profiledSeconds),
    };
    const brought = broughtToPace(samples_ns, record.paces_ms, reference, part);
    return [
      rated({
        name,
        kind: kindOf(name),
        launches: 1,
        measuredMs: represent(samples_ns, statistic) / 1e6,
        atReferenceMs: brought === undefined ? undefined : brought / 1e6,
        predictedMs: 1000 * (price.seconds + profiledSeconds),
        bound: price.bottleneck,
        flops: operation.flops,
        bytes: bytesOf(operation),
      }),
    ];
  });
  const measured = new Set(record.operations.map(({ name }) => name));
  const unmatched = [...measured].filter((name) => !priced.has(name));
  // What has no rows in a step is not launched.
  const launched = [...priced.values()].filter(({ operation }) => operation.m > 0);
  unmatched.push(...launched.map(({ operation }) => operation.name).filter((name) => !measured.has(name)));
  const kinds = [...new Set(operations.map(({ kind }) => kind))]
    .map((kind) => added(operations.filter((each) => each.kind === kind)))
    .sort((a, b) => b.measuredMs - a.measuredMs);
  const [measuredMs, predictedMs] = [sum(operations, 'measuredMs'), sum(operations, 'predictedMs')];
  const { id, phase, tokens, batch, context } = record;
  return {
    ...{ id, phase, tokens, batch, context, measuredMs, predictedMs },
    error: (predictedMs - measuredMs) / measuredMs,
    bound: mostly(operations),
    stepMs,
    operations,
    kinds,
    unmatched,
  };
}

type Sized = 'measuredMs' | 'predictedMs' | 'flops' | 'bytes';
const sum = (list: readonly JoinedOperation[], key: Sized): number =>
  list.reduce((total, each) => total + each[key], 0);

function added(list: readonly JoinedOperation[]): JoinedOperation {
  const { kind } = list[0];
  return rated({
    name: kind,
    kind,
    launches: list.length,
    measuredMs: sum(list, 'measuredMs'),
    atReferenceMs: list.some(({ atReferenceMs }) => atReferenceMs === undefined)
      ? undefined
      : list.reduce((total, { atReferenceMs }) => total + atReferenceMs!, 0),
    predictedMs: sum(list, 'predictedMs'),
    bound: mostly(list),
    flops: sum(list, 'flops'),
    bytes: sum(list, 'bytes'),
  });
}

/** What bounds most of the predicted time. */
function mostly(list: readonly JoinedOperation[]): Bound {
  const by = new Map<Bound, number>();
  for (const { bound, predictedMs } of list) by.set(bound, (by.get(bound) ?? 0) + predictedMs);
  return [...by].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'launch';
}

function rated({
  atReferenceMs,
  ...operation
}: Omit<JoinedOperation, 'error' | 'intensity' | 'flopsPerSecond' | 'bytesPerSecond' | 'atReferenceMs'> & {
  readonly atReferenceMs: number | undefined;
}): JoinedOperation {
  const { measuredMs, predictedMs, flops, bytes } = operation;
  const seconds = measuredMs / 1000;
  return {
    ...operation,
    // A clock too coarse for the operation measures nothing; no ratio can be given then.
    error: measuredMs > 0 ? (predictedMs - measuredMs) / measuredMs : NaN,
    ...(atReferenceMs !== undefined && {
      atReferenceMs,
      errorAtPace: atReferenceMs > 0 ? predictedMs / atReferenceMs - 1 : NaN,
    }),
    intensity: bytes > 0 ? flops / bytes : 0,
    flopsPerSecond: seconds > 0 ? flops / seconds : NaN,
    bytesPerSecond: seconds > 0 ? bytes / seconds : NaN,
  };
}

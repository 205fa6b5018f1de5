import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import type { KernelSet } from '../../src/roofline/hardware/roof.js';
import { paceRatio } from '../pace.js';
import type { BenchResult } from '../schema.js';
import { mape } from '../../src/statistics.js';
import { joinOperations, type JoinedPhase } from './operations.js';
import { joinPoints, type JoinedPoint, type Measure } from './points.js';
import { DEFAULT_STATISTIC, type Statistic } from './statistic.js';
import { predictorFor } from './predictor.js';

/** How far predictions of one measure are off. */
export interface MeasureError {
  readonly measure: Measure | 'operations';
  readonly points: number;
  /** Mean absolute relative error: 0.1 is 10 %. */
  readonly mape: number;
  /** The same with predictions at the host's pace; absent where that is not known. */
  readonly mapeAtPace?: number;
  readonly worst: { readonly id: string; readonly error: number };
}

/** A result beside its prediction. */
export interface Comparison {
  readonly result: BenchResult;
  readonly statistic: Statistic;
  /** How many times as long a fixed kernel took as when the hardware was calibrated. */
  readonly pace: number | undefined;
  readonly predictor: Predictor;
  readonly hardware: Hardware;
  readonly points: readonly JoinedPoint[];
  readonly phases: readonly JoinedPhase[];
  readonly errors: readonly MeasureError[];
}

/**
 * Joins a result with the prediction for the same model on `hardware`: by operation, by phase, by point.
 *
 * @param kernels whose roof counts on hardware from the catalogue; by default that of the kernels the result names
 */
export function compareResult(
  result: BenchResult,
  hardware: Hardware,
  statistic: Statistic = DEFAULT_STATISTIC,
  kernels?: KernelSet,
): Comparison {
  const predictor = predictorFor(result, hardware, kernels);
  const points = joinPoints(result.records, predictor, statistic);
  const phases = result.records.flatMap((record) =>
    record.kind === 'operations' ? [joinOperations(record, predictor, statistic)] : [],
  );
  const pace = paceRatio(result.pace, hardware.host?.pace, statistic);
  return { result, statistic, pace, predictor, hardware, points, phases, errors: errorsOf(points, phases, pace) };
}

const MEASURES: readonly Measure[] = ['ttft', 'tpot', 'pp', 'tg'];

function errorsOf(points: readonly JoinedPoint[], phases: readonly JoinedPhase[], pace?: number): MeasureError[] {
  const of = (
    measure: MeasureError['measure'],
    list: readonly { id: string; measuredMs: number; predictedMs: number; error: number }[],
  ): MeasureError[] => {
    const known = list.filter(({ error }) => Number.isFinite(error));
    const meanAt = (slow: number) =>
      mape(known.map((each) => ({ measured: each.measuredMs, predicted: slow * each.predictedMs })));
    const mean = meanAt(1);
    if (mean === undefined) return [];
    const { id, error } = known.reduce((worst, each) => (Math.abs(each.error) > Math.abs(worst.error) ? each : worst));
    const atPace = pace === undefined ? {} : { mapeAtPace: meanAt(pace) };
    return [{ measure, points: known.length, mape: mean, ...atPace, worst: { id, error } }];
  };
  const operations = phases.flatMap(({ id, kinds }) => kinds.map((each) => ({ ...each, id: `${each.name}, ${id}` })));
  return [
    ...MEASURES.flatMap((measure) =>
      of(
        measure,
        points.filter((point) => point.measure === measure),
      ),
    ),
    ...of('operations', operations),
  ];
}

/** The measures that are promised, and so can fail a check. */
const PROMISED: readonly MeasureError['measure'][] = ['ttft', 'tpot'];

/** Those of TTFT and TPOT that are further off than `limit` on average. */
export const above = ({ errors }: Comparison, limit: number): MeasureError[] =>
  errors.filter(({ measure, mape }) => PROMISED.includes(measure) && mape > limit);

/** The comparison for programs. */
export function comparedRecord({ result, statistic, pace, hardware, predictor, points, phases, errors }: Comparison) {
  const { context, date, complete, model } = result;
  const { efficiencies, peak } = predictor.pricer;
  return {
    context,
    date,
    complete,
    statistic,
    ...(pace === undefined ? {} : { pace }),
    model: model.name,
    hardware: { id: hardware.id, name: hardware.name, source: hardware.source, bandwidth: hardware.bandwidth },
    roof: peak,
    efficiencies,
    errors,
    points,
    phases,
  };
}

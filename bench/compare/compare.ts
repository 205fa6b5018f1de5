import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import type { KernelSet } from '../../src/roofline/hardware/roof.js';
import { atPace, type PaceRatios } from '../../src/roofline/hardware/pace.js';
import { paceRatios, sameKernels } from '../pace/record.js';
import type { BenchResult } from '../schema.js';
import { joinOperations, type JoinedPhase } from './operations.js';
import { pacingBy } from './pacing.js';
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
  /** How many times as long fixed kernels took as when the hardware was calibrated. */
  readonly paces: PaceRatios | undefined;
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
  const calibrated = hardware.host?.pace;
  const reference =
    result.pace && calibrated && sameKernels(result.pace, calibrated) ? calibrated.broughtTo : undefined;
  const pacing = reference && pacingBy(reference, hardware, (machine) => predictorFor(result, machine, kernels));
  const join = (by: Predictor): Joined => ({
    points: joinPoints(result.records, by, statistic, pacing),
    phases: result.records.flatMap((record) =>
      record.kind === 'operations' ? [joinOperations(record, by, statistic, reference)] : [],
    ),
  });
  const paces = paceRatios(result.pace, calibrated, statistic);
  const plain = join(predictor);
  const { points, phases } =
    paces === undefined || reference !== undefined
      ? plain
      : besideThatAtPace(plain, join(predictorFor(result, atPace(hardware, ofProcessor(hardware, paces)), kernels)));
  return { result, statistic, paces, predictor, hardware, points, phases, errors: errorsOf(points, phases) };
}

type Joined = Pick<Comparison, 'points' | 'phases'>;

/** Each error with that of the same time predicted at the host's pace beside it. */
function besideThatAtPace({ points, phases }: Joined, paced: Joined): Joined {
  const beside = <Of extends { readonly error: number }>(list: readonly Of[], others: readonly Of[]) =>
    list.map((each, at) => ({ ...each, errorAtPace: others[at].error }));
  return {
    points: beside(points, paced.points),
    phases: phases.map((phase, at) => ({ ...phase, kinds: beside(phase.kinds, paced.phases[at].kinds) })),
  };
}

/**
 * Of files from before each repetition had its pace. On a software driver what others take is the cores' time, which
 * multiply-adds tell. How fast a process reads or launches
 * nothing differs by a fifth and more from the next one's where models are as fast as ever, so that predictions at those
 * paces were worse than at none (TPOT 11.2 for 7.6 %, 19 results): they are said, and not reckoned with. Of a machine that
 * was calibrated, only such a driver shares the host's memory.
 */
const ofProcessor = ({ sharedMemory }: Hardware, paces: PaceRatios): PaceRatios =>
  sharedMemory ? { compute: paces.compute, memory: paces.compute, launch: paces.compute } : paces;

const MEASURES: readonly MeasureError['measure'][] = ['ttft', 'tpot', 'pp', 'tg', 'operations'];

/** How far a prediction is off. */
interface Time {
  readonly id: string;
  readonly measure: MeasureError['measure'];
  readonly error: number;
  readonly errorAtPace?: number;
}

function errorsOf(points: readonly JoinedPoint[], phases: readonly JoinedPhase[]): MeasureError[] {
  const times: readonly Time[] = [
    ...points,
    ...phases.flatMap(({ id, kinds }) =>
      kinds.map((each) => ({ ...each, id: `${each.name}, ${id}`, measure: 'operations' as const })),
    ),
  ];
  return MEASURES.flatMap((measure) => {
    const known = times.filter((each) => each.measure === measure && Number.isFinite(each.error));
    if (known.length === 0) return [];
    const paced = known.flatMap(({ errorAtPace }) => errorAtPace ?? []);
    const { id, error } = known.reduce((worst, each) => (Math.abs(each.error) > Math.abs(worst.error) ? each : worst));
    return [
      {
        measure,
        points: known.length,
        mape: meanSize(known.map((each) => each.error)),
        ...(paced.length > 0 && { mapeAtPace: meanSize(paced) }),
        worst: { id, error },
      },
    ];
  });
}

const meanSize = (errors: readonly number[]): number =>
  errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;

/** The measures that are promised, and so can fail a check. */
const PROMISED: readonly MeasureError['measure'][] = ['ttft', 'tpot'];

/** Those of TTFT and TPOT that are further off than `limit` on average. */
export const above = ({ errors }: Comparison, limit: number): MeasureError[] =>
  errors.filter(({ measure, mape }) => PROMISED.includes(measure) && mape > limit);

/** The comparison for programs. */
export function comparedRecord({ result, statistic, paces, hardware, predictor, points, phases, errors }: Comparison) {
  const { context, date, complete, model } = result;
  const { efficiencies, peak } = predictor.pricer;
  return {
    context,
    date,
    complete,
    statistic,
    ...(paces === undefined ? {} : { pace: paces.compute, paces }),
    model: model.name,
    hardware: { id: hardware.id, name: hardware.name, source: hardware.source, bandwidth: hardware.bandwidth },
    roof: peak,
    efficiencies,
    errors,
    points,
    phases,
  };
}

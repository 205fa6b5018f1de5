import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { phaseSummary } from '../../src/roofline/predict/phase-summary.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import type { BatchShape } from '../../src/model/operations.js';
import type { Measured } from '../measure/end-to-end.js';
import type { BenchRecord, LlamaBenchRecord } from '../schema.js';
import { testOf } from '../tables/llama-bench.js';
import { phaseFelt } from './felt.js';
import { broughtToPace, DEFAULT_STATISTIC, represent, type ReferencePace, type Statistic } from './statistic.js';

/** What a time is the sum of mostly, by the predictor's reckoning. */
export type Bound = 'compute' | 'memory' | 'launch' | 'link';
export type Measure = 'ttft' | 'tpot' | 'pp' | 'tg';

/** A point of the sweep: what stands for what was measured beside what was predicted. */
export interface JoinedPoint {
  readonly id: string;
  readonly measure: Measure;
  readonly prompt: number;
  readonly context: number;
  readonly batch: number;
  readonly gen: number;
  readonly measuredMs: number;
  readonly predictedMs: number;
  /** What was measured brought to the pace of the calibration; absent where the pace of each repetition is not known. */
  readonly atReferenceMs?: number;
  /** (predicted - measured) / measured */
  readonly error: number;
  /** The same with both at one pace; absent where the host's is not known. */
  readonly errorAtPace?: number;
  readonly bound: Bound;
}

/**
 * Joins every record that has a time of its own with its prediction.
 *
 * @param reference the pace that the prediction is for
 */
export function joinPoints(
  records: readonly Measured<BenchRecord>[],
  predictor: Predictor,
  statistic: Statistic = DEFAULT_STATISTIC,
  reference?: ReferencePace,
): JoinedPoint[] {
  const times = (samples: readonly number[], record: Measured<BenchRecord>): Times => ({
    measuredMs: represent(samples, statistic),
    atReferenceMs: broughtToPace(samples, record.pace_ms, reference, phaseFelt(record)),
  });
  return records.flatMap((record) => {
    switch (record.kind) {
      case 'ttft': {
        const { id, n_prompt: prompt } = record;
        const seconds = predictor.prefillSeconds(prompt);
        const bound = boundOf(predictor, predictor.prefillSteps(prompt));
        const shape = { id, measure: 'ttft' as const, prompt, context: 0, batch: 1, gen: 1 };
        return [joined(shape, times(record.ttfts_ms, record), seconds, bound)];
      }
      case 'tpot': {
        const { id, n_prompt: context, n_gen: gen, batch } = record;
        const seconds = predictor.decodeSeconds(context, gen - 1, batch) / (gen - 1);
        const bound = boundOf(predictor, [decodeStep(context + Math.floor(gen / 2), batch)]);
        const shape = { id, measure: 'tpot' as const, prompt: 0, context, batch, gen };
        return [joined(shape, times(record.tpots_ms, record), seconds, bound)];
      }
      case 'llama-bench':
        return [
          joinRow(
            record,
            predictor,
            times(
              record.samples_ns.map((ns) => ns / 1e6),
              record,
            ),
          ),
        ];
      case 'operations':
        return [];
    }
  });
}

/** A llama-bench row: its steps one by one, each recorded, run and awaited before the next, without the sampler. */
function joinRow(record: Measured<LlamaBenchRecord>, predictor: Predictor, times: Times): JoinedPoint {
  const { n_prompt: prompt, n_gen: gen, n_depth: context, batch } = record;
  const steps = [
    ...(prompt > 0 ? predictor.prefillSteps(prompt) : []),
    ...Array.from({ length: gen }, (_, token) => decodeStep(context + prompt + token, batch)),
  ];
  const sampling = (step: BatchShape): number =>
    predictor
      .parts(step)
      .filter(({ operation }) => operation.kind === 'sample')
      .reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  const seconds = steps.reduce((sum, step) => sum + predictor.stepsSeconds([step], 'alone') - sampling(step), 0);
  const shape = { id: record.id, measure: prompt > 0 ? ('pp' as const) : ('tg' as const), prompt, context, batch, gen };
  const bound = boundOf(predictor, steps.slice(0, 1));
  return joined({ ...shape, id: testOf(record) }, times, seconds, bound);
}

/** What stands for the repetitions of a point. */
interface Times {
  readonly measuredMs: number;
  readonly atReferenceMs: number | undefined;
}

function joined(
  shape: Omit<JoinedPoint, 'measuredMs' | 'predictedMs' | 'error' | 'bound'>,
  { measuredMs, atReferenceMs }: Times,
  seconds: number,
  bound: Bound,
): JoinedPoint {
  const predictedMs = 1000 * seconds;
  const atPace = atReferenceMs !== undefined && { atReferenceMs, errorAtPace: predictedMs / atReferenceMs - 1 };
  return { ...shape, measuredMs, predictedMs, error: (predictedMs - measuredMs) / measuredMs, ...atPace, bound };
}

/** Where most of the time of these steps goes; recording on the host counts as launching. */
function boundOf(predictor: Predictor, steps: readonly BatchShape[]): Bound {
  const device = (step: BatchShape): number =>
    predictor.parts(step).reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  if (steps.some((step) => predictor.recordingSeconds(step) > device(step))) return 'launch';
  const seconds = steps.reduce((sum, step) => sum + device(step), 0);
  return phaseSummary(predictor, steps, seconds).bottleneck;
}

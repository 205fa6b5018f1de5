import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { phaseSummary } from '../../src/roofline/predict/phase-summary.js';
import type { Predictor } from '../../src/roofline/predict/predictor.js';
import type { BatchShape } from '../../src/model/operations.js';
import type { Measured } from '../measure/end-to-end.js';
import type { BenchRecord, LlamaBenchRecord } from '../schema.js';
import { testOf } from '../tables/llama-bench.js';
import { phaseFelt, samplesOf } from './felt.js';
import { broughtToPace, DEFAULT_STATISTIC, represent, type Statistic } from './statistic.js';
import type { Pacing } from './pacing.js';

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
 * @param pacing what measurements are brought to one pace by, which the prediction is for
 */
export function joinPoints(
  records: readonly Measured<BenchRecord>[],
  predictor: Predictor,
  statistic: Statistic = DEFAULT_STATISTIC,
  pacing?: Pacing,
): JoinedPoint[] {
  return records.flatMap((record): JoinedPoint[] => {
    const expected = expectedOf(record, predictor);
    if (expected === undefined) return [];
    const { shape, seconds, steps } = expected;
    const samples = millisecondsOf(record);
    const predictedMs = 1000 * seconds;
    const measuredMs = represent(samples, statistic);
    const part = { phase: phaseFelt(record), work: pacing?.workOf(record) ?? 1 };
    const atReferenceMs = broughtToPace(samples, record.paces_ms, pacing?.reference, part);
    const atPace = atReferenceMs !== undefined && { atReferenceMs, errorAtPace: predictedMs / atReferenceMs - 1 };
    const error = (predictedMs - measuredMs) / measuredMs;
    return [{ ...shape, measuredMs, predictedMs, error, ...atPace, bound: boundOf(predictor, steps) }];
  });
}

/** What a record's time is predicted to be. */
interface Expected {
  readonly shape: Pick<JoinedPoint, 'id' | 'measure' | 'prompt' | 'context' | 'batch' | 'gen'>;
  readonly seconds: number;
  /** That stand for what it is bound by. */
  readonly steps: readonly BatchShape[];
}

/** Undefined for profiles, whose operations have times of their own. */
export function expectedOf(record: Measured<BenchRecord>, predictor: Predictor): Expected | undefined {
  switch (record.kind) {
    case 'ttft': {
      const { id, n_prompt: prompt } = record;
      const shape = { id, measure: 'ttft' as const, prompt, context: 0, batch: 1, gen: 1 };
      return { shape, seconds: predictor.prefillSeconds(prompt), steps: predictor.prefillSteps(prompt) };
    }
    case 'tpot': {
      const { id, n_prompt: context, n_gen: gen, batch } = record;
      const seconds = predictor.decodeSeconds(context, gen - 1, batch) / (gen - 1);
      const shape = { id, measure: 'tpot' as const, prompt: 0, context, batch, gen };
      return { shape, seconds, steps: [decodeStep(context + Math.floor(gen / 2), batch)] };
    }
    case 'llama-bench':
      return expectedRow(record, predictor);
    case 'operations':
      return undefined;
  }
}

/** A llama-bench row: its steps one by one, each recorded, run and awaited before the next, without the sampler. */
function expectedRow(record: Measured<LlamaBenchRecord>, predictor: Predictor): Expected {
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
  const measure = prompt > 0 ? ('pp' as const) : ('tg' as const);
  return { shape: { id: testOf(record), measure, prompt, context, batch, gen }, seconds, steps: steps.slice(0, 1) };
}

const millisecondsOf = (record: Measured<BenchRecord>): readonly number[] =>
  record.kind === 'llama-bench' ? record.samples_ns.map((ns) => ns / 1e6) : samplesOf(record);

/** Where most of the time of these steps goes; recording on the host counts as launching. */
function boundOf(predictor: Predictor, steps: readonly BatchShape[]): Bound {
  const device = (step: BatchShape): number =>
    predictor.parts(step).reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  if (steps.some((step) => predictor.recordingSeconds(step) > device(step))) return 'launch';
  const seconds = steps.reduce((sum, step) => sum + device(step), 0);
  return phaseSummary(predictor, steps, seconds).bottleneck;
}

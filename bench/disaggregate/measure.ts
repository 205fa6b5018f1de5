import { BLOCK_TOKENS } from '../../src/kernels/attention/shape.js';
import { random } from '../../src/traffic/random.js';
import { randomIds } from '../prompts.js';
import { bytesPerMs, sentBytes } from './formula.js';
import {
  disaggregatePlan,
  shuffled,
  type CellPoint,
  type DisaggregateOptions,
  type DisaggregatePoint,
} from './plan.js';
import type { CellRecord, DisaggregateResult } from './schema.js';
import { answerAlone, answerPair, prefillAlone, tailAlone } from './stage.js';
import type { Stages } from './stages.js';

export type Measured = Pick<DisaggregateResult, 'alone' | 'prefills' | 'tails' | 'cells'>;

export interface MeasureEvents {
  /** @param round from 0, warm-ups included */
  readonly onPoint: (round: number, at: number, of: number) => void;
  /** Between points. */
  readonly between: () => Promise<void>;
  readonly onRound: (measured: Measured) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Prompts of one seed: nothing of one is in the cache for another. */
const SEED = 15;

/**
 * Measures all points once a round, in another order each.
 *
 * @param chunk tokens of a prompt in a step of who computes prompts for others
 */
export async function measureDisaggregate(
  stages: Stages,
  options: DisaggregateOptions,
  chunk: number,
  { onPoint, between, onRound, signal }: MeasureEvents,
): Promise<Measured> {
  const plan = disaggregatePlan(options);
  const measured: Measured = { alone: [], prefills: [], tails: [], cells: [] };
  const records = new Map(plan.map((point) => [point, recordOf(point, stages, chunk, measured)]));
  const order = random(SEED);
  let seed = SEED;
  for (let round = 0; round < options.warmup + options.repetitions && !signal.aborted; round++) {
    for (const [at, point] of shuffled(plan, order).entries()) {
      if (signal.aborted) break;
      onPoint(round, at, plan.length);
      await between();
      const take = records.get(point)!;
      const note = await take(seed++);
      if (round >= options.warmup) note();
    }
    if (round >= options.warmup) await onRound(measured);
  }
  return measured;
}

/** Measures once with the prompt of a seed. @returns notes what was measured */
type Take = (seed: number) => Promise<() => void>;

function recordOf(point: DisaggregatePoint, stages: Stages, chunk: number, measured: Measured): Take {
  const promptOf = (vocab: number, seed: number): number[] => randomIds(vocab, point.promptTokens, seed);
  if (point.kind === 'cell') return cellOf(point, stages, chunk, measured);
  const { adapter, promptTokens: n_prompt } = point;
  if (point.kind === 'alone') {
    const row = { adapter, n_prompt, n_gen: point.outputTokens, ttfts_ms: [] as number[], e2els_ms: [] as number[] };
    measured.alone.push(row);
    const { engine } = stages.alone(adapter);
    return async (seed) => {
      const took = await answerAlone(engine, promptOf(engine.config.vocab, seed), point.outputTokens);
      return () => {
        row.ttfts_ms.push(took.ttftMs);
        row.e2els_ms.push(took.e2elMs);
      };
    };
  }
  if (point.kind === 'prefill') {
    const row = { adapter, n_prompt, prefills_ms: [] as number[], first_chunks_ms: [] as number[] };
    measured.prefills.push(row);
    const { engine, log } = stages.prefills.get(adapter)!;
    return async (seed) => {
      const took = await prefillAlone(engine, log, promptOf(engine.config.vocab, seed));
      return () => {
        row.prefills_ms.push(took.prefillMs);
        row.first_chunks_ms.push(took.firstChunkMs);
      };
    };
  }
  const row = { adapter, n_prompt, tails_ms: [] as number[] };
  measured.tails.push(row);
  const { engine } = stages.decodes.get(adapter)!;
  return async (seed) => {
    const took = await tailAlone(engine, promptOf(engine.config.vocab, seed));
    return () => void row.tails_ms.push(took);
  };
}

function cellOf(point: CellPoint, stages: Stages, chunk: number, measured: Measured): Take {
  const { prefill, decode, relay, source } = stages.pair(point);
  const { promptTokens, outputTokens, mbit, delayMs } = point;
  const { blockBytes } = decode.engine.kv;
  const { bytes, lastBytes } = sentBytes(promptTokens, chunk, { blockTokens: BLOCK_TOKENS, blockBytes });
  const row: CellRecord = {
    ...{ prefill: point.prefill, decode: point.decode, n_prompt: promptTokens, n_gen: outputTokens },
    ...{ mbit: mbit ?? null, delay_ms: delayMs, kv_bytes: bytes, kv_last_bytes: lastBytes },
    ...{ e2els_ms: [], ttfts_ms: [], prefills_ms: [], first_chunks_ms: [], kvs_ms: [] },
    ...{ exposeds_ms: [], tails_ms: [], decodes_ms: [], fallbacks: 0 },
  };
  measured.cells.push(row);
  return async (seed) => {
    const prompt = randomIds(decode.engine.config.vocab, promptTokens, seed);
    relay.shape = { bytesPerMs: mbit && bytesPerMs(mbit), delayMs };
    const took = await answerPair({ decode: decode.engine, source, log: prefill.log }, prompt, outputTokens);
    return () => {
      row.e2els_ms.push(took.e2elMs);
      row.ttfts_ms.push(took.ttftMs);
      row.prefills_ms.push(took.prefillMs);
      row.first_chunks_ms.push(took.firstChunkMs);
      row.kvs_ms.push(took.kvMs);
      row.exposeds_ms.push(took.exposedMs);
      row.tails_ms.push(took.tailMs);
      row.decodes_ms.push(took.decodeMs);
      if (took.missing !== undefined) row.fallbacks++;
    };
  };
}

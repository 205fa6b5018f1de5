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
  /** Says between points how fast the host is: milliseconds of a fixed kernel. */
  readonly pace: () => Promise<number>;
  readonly onRound: (measured: Measured) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Prompts of one seed: nothing of one is in the cache for another. */
const SEED = 15;
/** How often a round measures what many cells are compared with. */
const SHARED_TIMES = 2;

/**
 * Measures all cells once a round and what they are compared with twice, in another order each.
 *
 * @param chunk tokens of a prompt in a step of who computes prompts for others
 */
export async function measureDisaggregate(
  stages: Stages,
  options: DisaggregateOptions,
  chunk: number,
  { onPoint, pace, onRound, signal }: MeasureEvents,
): Promise<Measured> {
  const points = disaggregatePlan(options);
  const plan = points.flatMap((point) =>
    Array<DisaggregatePoint>(point.kind === 'cell' ? 1 : SHARED_TIMES).fill(point),
  );
  const measured: Measured = { alone: [], prefills: [], tails: [], cells: [] };
  const records = new Map(points.map((point) => [point, recordOf(point, stages, chunk, measured)]));
  const order = random(SEED);
  let seed = SEED;
  let before: number | undefined;
  for (let round = 0; round < options.warmup + options.repetitions && !signal.aborted; round++) {
    for (const [at, point] of shuffled(plan, order).entries()) {
      if (signal.aborted) break;
      onPoint(round, at, plan.length);
      const take = records.get(point)!;
      before ??= await pace();
      const note = await take(seed++);
      const after = await pace();
      if (round >= options.warmup) note((before + after) / 2);
      before = after;
    }
    if (round >= options.warmup) await onRound(measured);
  }
  return measured;
}

/** Measures once with the prompt of a seed. @returns notes what was measured, and the host's pace meanwhile */
type Take = (seed: number) => Promise<(paceMs: number) => void>;

const empty = (): { readonly paces_ms: number[] } => ({ paces_ms: [] });

function recordOf(point: DisaggregatePoint, stages: Stages, chunk: number, measured: Measured): Take {
  const promptOf = (vocab: number, seed: number): number[] => randomIds(vocab, point.promptTokens, seed);
  if (point.kind === 'cell') return cellOf(point, stages, chunk, measured);
  const { adapter, promptTokens: n_prompt } = point;
  if (point.kind === 'alone') {
    const row = {
      adapter,
      n_prompt,
      n_gen: point.outputTokens,
      ...empty(),
      ttfts_ms: [] as number[],
      e2els_ms: [] as number[],
    };
    measured.alone.push(row);
    const { engine } = stages.alone(adapter);
    return async (seed) => {
      const took = await answerAlone(engine, promptOf(engine.config.vocab, seed), point.outputTokens);
      return (paceMs) => {
        row.paces_ms.push(paceMs);
        row.ttfts_ms.push(took.ttftMs);
        row.e2els_ms.push(took.e2elMs);
      };
    };
  }
  if (point.kind === 'prefill') {
    const row = { adapter, n_prompt, ...empty(), prefills_ms: [] as number[], first_chunks_ms: [] as number[] };
    measured.prefills.push(row);
    const { engine, log } = stages.prefills.get(adapter)!;
    return async (seed) => {
      const took = await prefillAlone(engine, log, promptOf(engine.config.vocab, seed));
      return (paceMs) => {
        row.paces_ms.push(paceMs);
        row.prefills_ms.push(took.prefillMs);
        row.first_chunks_ms.push(took.firstChunkMs);
      };
    };
  }
  const row = { adapter, n_prompt, ...empty(), tails_ms: [] as number[] };
  measured.tails.push(row);
  const { engine } = stages.decodes.get(adapter)!;
  return async (seed) => {
    const took = await tailAlone(engine, promptOf(engine.config.vocab, seed));
    return (paceMs) => {
      row.paces_ms.push(paceMs);
      row.tails_ms.push(took);
    };
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
    ...{ exposeds_ms: [], tails_ms: [], decodes_ms: [], ...empty(), fallbacks: 0 },
  };
  measured.cells.push(row);
  return async (seed) => {
    const prompt = randomIds(decode.engine.config.vocab, promptTokens, seed);
    relay.shape = { bytesPerMs: mbit && bytesPerMs(mbit), delayMs };
    const took = await answerPair({ decode: decode.engine, source, log: prefill.log }, prompt, outputTokens);
    return (paceMs) => {
      row.paces_ms!.push(paceMs);
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

import { promptOf, type BenchPoint } from '../plan.js';
import type { TpotRecord, TtftRecord } from '../schema.js';
import { histogram, summarize } from '../../src/statistics.js';
import { e2eOf, gapsOf, makePrompt, runBatch, tpotOf, ttftOf, type BatchTimes } from './request.js';
import { settleMachine } from './settle.js';
import { namedSummaries } from './summaries.js';
import type { BenchTarget, Trial } from './target.js';

/** The part of a record that is measured; the rest says on what. */
export type Measured<T> = T extends unknown ? Omit<T, keyof RecordKeys> : never;
interface RecordKeys {
  adapter: 1;
  driver: 1;
  tier: 1;
  model: 1;
  dtype: 1;
  kv_dtype: 1;
  ridgepoint: 1;
  runtime: 1;
  node: 1;
  dawn: 1;
  git_commit: 1;
  calibration: 1;
  date: 1;
}

type Point<Kind extends BenchPoint['kind']> = Extract<BenchPoint, { kind: Kind }>;

/** One batch of requests, and what its prompts were. */
interface RequestRun extends BatchTimes {
  readonly prompt: 'text' | 'ids';
}

async function runRequests(
  target: BenchTarget,
  kind: 'text' | 'ids',
  { names, length, gen }: { names: readonly string[]; length: number; gen: number },
  signal?: AbortSignal,
  onReady?: () => Promise<void>,
): Promise<RequestRun> {
  const prompts = names.map((name) => makePrompt(target, length, kind, name));
  const prompt = typeof prompts[0] === 'string' ? 'text' : 'ids';
  await settleMachine();
  await onReady?.();
  return { prompt, ...(await runBatch(target, prompts, gen, signal)) };
}

/** TTFT of a prompt: one request, one token. */
export function ttftTrial(
  target: BenchTarget,
  { id, prompt: length }: Point<'ttft'>,
  kind: 'text' | 'ids',
): Trial<RequestRun, Measured<TtftRecord>> {
  return {
    run: (index, signal, onReady) =>
      runRequests(target, kind, { names: [`${id} ${index}`], length, gen: 1 }, signal, onReady),
    record(warmup, counted) {
      const ttfts = counted.map(ttftOf);
      return {
        kind: 'ttft',
        id,
        n_prompt: length,
        n_gen: 1,
        batch: 1,
        prompt: counted[0].prompt,
        warmup_ms: warmup.map(ttftOf),
        ttfts_ms: ttfts,
        ...namedSummaries('ttft', ttfts),
      };
    },
  };
}

/** TPOT of sequences that decode together, each after a prompt as long as the context. */
export function tpotTrial(
  target: BenchTarget,
  { id, context, batch, gen }: Point<'tpot'>,
  kind: 'text' | 'ids',
): Trial<RequestRun, Measured<TpotRecord>> {
  const length = promptOf(context);
  return {
    run(index, signal, onReady) {
      const names = Array.from({ length: batch }, (_, sequence) => `${id} ${index} ${sequence}`);
      return runRequests(target, kind, { names, length, gen }, signal, onReady);
    },
    leadMs: ttftOf,
    record(warmup, counted) {
      const requests = counted.flatMap((times) => times.requests);
      const ttfts = requests.map(({ arrivals }) => arrivals[0]);
      const tpots = counted.map(tpotOf);
      const itls = requests.flatMap(gapsOf);
      const e2els = requests.map(({ arrivals }) => arrivals.at(-1)!);
      const { median } = summarize(tpots);
      return {
        kind: 'tpot',
        id,
        n_prompt: length,
        n_gen: gen,
        batch,
        prompt: counted[0].prompt,
        warmup_ms: warmup.map(e2eOf),
        ttfts_ms: ttfts,
        ...namedSummaries('ttft', ttfts),
        tpots_ms: tpots,
        ...namedSummaries('tpot', tpots),
        itls,
        ...namedSummaries('itl', itls),
        itl_histogram: histogram(itls),
        e2els_ms: e2els,
        ...namedSummaries('e2el', e2els),
        tokens_per_second_per_user: 1000 / median,
        tokens_per_second: (1000 * batch) / median,
      };
    },
  };
}

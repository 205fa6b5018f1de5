import { promptOf, type BenchPoint } from '../plan.js';
import type { TpotRecord, TtftRecord } from '../schema.js';
import { summarize } from '../statistics.js';
import { e2eOf, gapsOf, makePrompt, runBatch, tpotOf, ttftOf } from './request.js';
import { named } from './summaries.js';
import { repeat, type BenchTarget, type Repetitions } from './target.js';

/** The part of a record that is measured; the rest says on what. */
export type Measured<T> = Omit<T, keyof RecordKeys>;
interface RecordKeys {
  adapter: 1;
  driver: 1;
  tier: 1;
  model: 1;
  dtype: 1;
  kv_dtype: 1;
  ridgepoint: 1;
  node: 1;
  dawn: 1;
  git_commit: 1;
  calibration: 1;
  date: 1;
}

type Point<Kind extends BenchPoint['kind']> = Extract<BenchPoint, { kind: Kind }>;

/** TTFT of a prompt: one request, one token. */
export async function measureTtft(
  target: BenchTarget,
  { id, prompt }: Point<'ttft'>,
  kind: 'text' | 'ids',
  how: Repetitions,
): Promise<Measured<TtftRecord>> {
  let used = kind;
  const { warmup, counted } = await repeat(how, (index) => {
    const made = makePrompt(target, prompt, kind, `${id} ${index}`);
    used = typeof made === 'string' ? 'text' : 'ids';
    return runBatch(target, [made], 1, how.signal);
  });
  const ttfts = counted.map(ttftOf);
  return {
    kind: 'ttft',
    id,
    n_prompt: prompt,
    n_gen: 1,
    batch: 1,
    prompt: used,
    warmup_ms: warmup.map(ttftOf),
    ttfts_ms: ttfts,
    ...named('ttft', ttfts),
  };
}

/** TPOT of sequences that decode together, each after a prompt as long as the context. */
export async function measureTpot(
  target: BenchTarget,
  { id, context, batch, gen }: Point<'tpot'>,
  kind: 'text' | 'ids',
  how: Repetitions,
): Promise<Measured<TpotRecord>> {
  const length = promptOf(context);
  let used = kind;
  const { warmup, counted } = await repeat(how, (index) => {
    const prompts = Array.from({ length: batch }, (_, sequence) =>
      makePrompt(target, length, kind, `${id} ${index} ${sequence}`),
    );
    used = typeof prompts[0] === 'string' ? 'text' : 'ids';
    return runBatch(target, prompts, gen, how.signal);
  });
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
    prompt: used,
    warmup_ms: warmup.map(e2eOf),
    ttfts_ms: ttfts,
    ...named('ttft', ttfts),
    tpots_ms: tpots,
    ...named('tpot', tpots),
    itls,
    ...named('itl', itls),
    e2els_ms: e2els,
    ...named('e2el', e2els),
    tokens_per_second_per_user: 1000 / median,
    tokens_per_second: (1000 * batch) / median,
  };
}

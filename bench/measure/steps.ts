import type { ProbedStep } from '../../src/engine/probe.js';
import type { BenchPoint } from '../plan.js';
import type { LlamaBenchRecord, OperationsRecord } from '../schema.js';
import { summarize } from '../statistics.js';
import type { Measured } from './end-to-end.js';
import { repeat, type BenchTarget, type Repetitions } from './target.js';

type Point<Kind extends BenchPoint['kind']> = Extract<BenchPoint, { kind: Kind }>;

/** A prompt of any length in steps of at most `chunk` tokens. */
async function prefillInChunks(
  probe: ReturnType<BenchTarget['probe']>,
  tokens: number,
  chunk: number,
): Promise<ProbedStep[]> {
  const steps: ProbedStep[] = [];
  for (let done = 0; done < tokens; done += chunk) {
    steps.push(await probe.prefill(Math.min(chunk, tokens - done), done, { sample: false }));
  }
  return steps;
}

/**
 * A row as llama-bench measures it: `pp` is one prompt, `tg` single decode steps, each awaited, after `depth` tokens;
 * no tokenisation, no sampling.
 */
export async function measureLlamaBench(
  target: BenchTarget,
  { id, prompt, gen, depth }: Point<'llama-bench'>,
  chunk: number,
  how: Repetitions,
): Promise<Measured<LlamaBenchRecord>> {
  const probe = target.probe();
  const { warmup, counted } = await repeat(how, async () => {
    const began = performance.now();
    if (prompt > 0) await prefillInChunks(probe, prompt, chunk);
    for (let token = 0; token < gen; token++) {
      how.signal?.throwIfAborted();
      await probe.decode(1, depth + prompt + token, { sample: false });
    }
    return 1e6 * (performance.now() - began);
  });
  const rates = counted.map((ns) => (1e9 * (prompt + gen)) / ns);
  const [time, rate] = [summarize(counted), summarize(rates)];
  return {
    kind: 'llama-bench',
    id,
    n_prompt: prompt,
    n_gen: gen,
    n_depth: depth,
    batch: 1,
    warmup_ns: warmup,
    avg_ns: time.mean,
    stddev_ns: time.std,
    avg_ts: rate.mean,
    stddev_ts: rate.std,
    samples_ns: counted,
    samples_ts: rates,
  };
}

/** GPU time of each operation of a step, and of the same step without a pass for each. */
export async function measureOperations(
  target: BenchTarget,
  point: Point<'operations'>,
  how: Repetitions,
): Promise<Measured<OperationsRecord>> {
  const { id, phase, tokens, batch, context } = point;
  const probe = target.probe();
  const step = (profile: boolean): Promise<ProbedStep> =>
    phase === 'prefill' ? probe.prefill(tokens, context, { profile }) : probe.decode(batch, context, { profile });
  const { warmup, counted } = await repeat(how, async () => ({
    plain: await step(false),
    profiled: await step(true),
  }));
  const names = counted[0].profiled.operations!.map(({ name }) => name);
  return {
    kind: 'operations',
    id,
    phase,
    tokens,
    batch,
    context,
    warmup_ms: warmup.map(({ plain }) => plain.wallMs),
    profiled_ms: counted.map(({ profiled }) => profiled.wallMs),
    unprofiled_ms: counted.map(({ plain }) => plain.wallMs),
    record_ms: counted.map(({ plain }) => plain.recordMs),
    operations: names.map((name, at) => {
      const samples = counted.map(({ profiled }) => {
        const { beginNs, endNs } = profiled.operations![at];
        return Math.max(0, endNs - beginNs);
      });
      return { name, median_ns: summarize(samples).median, samples_ns: samples };
    }),
  };
}

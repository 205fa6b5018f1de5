import type { ProbedStep } from '../../src/engine/probe.js';
import type { BenchPoint } from '../plan.js';
import type { LlamaBenchRecord, OperationsRecord } from '../schema.js';
import { summarize } from '../../src/statistics.js';
import type { Measured } from './end-to-end.js';
import { settleMachine } from './settle.js';
import type { BenchTarget, Trial } from './target.js';

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
 * no tokenisation, no sampling. A run is its nanoseconds.
 */
export function llamaBenchTrial(
  target: BenchTarget,
  { id, prompt, gen, depth }: Point<'llama-bench'>,
  chunk: number,
): Trial<number, Measured<LlamaBenchRecord>> {
  return {
    async run(_, signal, onReady) {
      await settleMachine();
      await onReady?.();
      const probe = target.probe();
      const began = performance.now();
      if (prompt > 0) await prefillInChunks(probe, prompt, chunk);
      for (let token = 0; token < gen; token++) {
        signal?.throwIfAborted();
        await probe.decode(1, depth + prompt + token, { sample: false });
      }
      return 1e6 * (performance.now() - began);
    },
    record(warmup, counted) {
      const rates = counted.map((ns) => (1e9 * (prompt + gen)) / ns);
      const [time, rate] = [summarize(counted), summarize(rates)];
      return {
        kind: 'llama-bench',
        id,
        n_prompt: prompt,
        n_gen: gen,
        n_depth: depth,
        batch: 1,
        warmup_ns: [...warmup],
        avg_ns: time.mean,
        stddev_ns: time.std,
        avg_ts: rate.mean,
        stddev_ts: rate.std,
        samples_ns: [...counted],
        samples_ts: rates,
      };
    },
  };
}

/** A step, and the same with a pass for each operation. */
interface ProfiledRun {
  readonly plainMs: number;
  readonly recordMs: number;
  readonly profiledMs: number;
  readonly operations: readonly { readonly name: string; readonly ns: number }[];
}

/** GPU time of each operation of a step, and of the same step without a pass for each. */
export function operationsTrial(
  target: BenchTarget,
  { id, phase, tokens, batch, context }: Point<'operations'>,
): Trial<ProfiledRun, Measured<OperationsRecord>> {
  return {
    async run(_, __, onReady) {
      await settleMachine();
      await onReady?.();
      const probe = target.probe();
      const step = (profile: boolean): Promise<ProbedStep> =>
        phase === 'prefill' ? probe.prefill(tokens, context, { profile }) : probe.decode(batch, context, { profile });
      const plain = await step(false);
      const profiled = await step(true);
      const operations = profiled.operations!.map(({ name, beginNs, endNs }) => ({
        name,
        ns: Math.max(0, endNs - beginNs),
      }));
      return {
        plainMs: plain.wallMs,
        recordMs: plain.recordMs + plain.submitMs,
        profiledMs: profiled.wallMs,
        operations,
      };
    },
    record(warmup, counted) {
      return {
        kind: 'operations',
        id,
        phase,
        tokens,
        batch,
        context,
        warmup_ms: warmup.map(({ plainMs }) => plainMs),
        profiled_ms: counted.map(({ profiledMs }) => profiledMs),
        unprofiled_ms: counted.map(({ plainMs }) => plainMs),
        record_ms: counted.map(({ recordMs }) => recordMs),
        operations: counted[0].operations.map(({ name }, at) => {
          const samples = counted.map(({ operations }) => operations[at].ns);
          return { name, median_ns: summarize(samples).median, samples_ns: samples };
        }),
      };
    },
  };
}

import { median } from '../../../src/statistics.js';
import type { Clock } from '../load/clock.js';
import { runLoad } from '../load/run-load.js';
import { metricsOf } from '../../../src/traffic/metrics.js';
import { warmUp } from '../runs.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import type { Target } from '../targets/target.js';
import { clip, type Workload } from '../../../src/traffic/workload.js';

/** Throughput of many sequences at once beside that of one. */
export interface BatchOutcome {
  readonly policy: PolicyName | undefined;
  readonly sequences: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Output tokens a second, one a round. */
  readonly one: readonly number[];
  readonly many: readonly number[];
  /** Of the medians. */
  readonly ratio: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly error: string | undefined;
}

export interface BatchOptions {
  readonly target: Target;
  readonly policy: PolicyName | undefined;
  readonly sequences: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly rounds: number;
  readonly seed: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** One sequence and many, in turns on one engine; the clock runs from the requests to the last token of all. */
export async function batchScenario(options: BatchOptions): Promise<BatchOutcome | undefined> {
  const { target, policy, sequences, rounds, clock, signal, onProgress } = options;
  const opened = await target.open(policy);
  try {
    const made = (count: number, seed: number): Workload => {
      const workload = together(count, seed, options);
      return opened.contextLength === undefined ? workload : clip(workload, opened.contextLength).workload;
    };
    await warmUp(opened, made(sequences, options.seed), { warmup: sequences, clock, signal });
    await warmUp(opened, made(1, options.seed), { warmup: 1, clock, signal });
    const rates: Record<'one' | 'many', number[]> = { one: [], many: [] };
    let failed = 0;
    let error: string | undefined;
    for (let round = 0; round < rounds; round++) {
      for (const [which, count] of [['one', 1] as const, ['many', sequences] as const]) {
        onProgress?.(`round ${round + 1} of ${rounds}: ${count} at once`);
        const workload = made(count, options.seed + 1 + 2 * round + (which === 'one' ? 0 : 1));
        const record = await runLoad(workload, opened.driver(workload), { clock, signal });
        if (record.interrupted) break;
        const metrics = metricsOf([record], { percentiles: [] });
        failed += metrics.count.failed;
        error ??= record.requests.find(({ status }) => status === 'failed')?.error;
        rates[which].push(metrics.outputTokensPerS);
      }
    }
    if (rates.many.length === 0) return undefined;
    const { promptTokens, outputTokens } = made(1, 0).requests[0];
    const one = median(rates.one);
    const ratio = one > 0 ? median(rates.many) / one : 0;
    return { policy, sequences, promptTokens, outputTokens, ...rates, ratio, failed, error };
  } finally {
    await opened.close();
  }
}

/** Requests of equal lengths that arrive at the same moment. */
function together(
  count: number,
  seed: number,
  { promptTokens, outputTokens }: Pick<BatchOptions, 'promptTokens' | 'outputTokens'>,
): Workload {
  const requests = Array.from({ length: count }, (_, index) => ({ index, atMs: 0, promptTokens, outputTokens }));
  return { seed, sharedPrefix: 0, requests };
}

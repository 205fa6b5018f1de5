import type { Clock } from './load/clock.js';
import type { LoadRecord } from '../../src/traffic/record.js';
import { runLoad, type RunLoadProgress } from './load/run-load.js';
import type { RecordedSteps } from './step-log.js';
import type { PolicyName } from '../../src/scheduler/policies/index.js';
import type { CacheStats, OpenTarget, Target } from './targets/target.js';
import { clip, roundSeed, type Workload } from '../../src/traffic/workload.js';

/** One run of one policy. */
export interface ServeRun {
  /** Undefined where there is no choice. */
  readonly policy: PolicyName | undefined;
  readonly round: number;
  readonly record: LoadRecord;
  readonly stats: CacheStats | undefined;
  /** Of an engine in this process: its steps, and most prompt tokens that one of them takes. */
  readonly steps?: RecordedSteps;
  readonly prefillChunk?: number;
}

export interface RunsOptions {
  readonly target: Target;
  /** Those to compare; absent for the one there is. */
  readonly policies?: readonly PolicyName[];
  readonly rounds: number;
  /** The workload of a seed: each round has its own, which all policies get. */
  readonly workload: (seed: number) => Workload;
  readonly seed: number;
  readonly maxConcurrency?: number;
  /** Requests before each run that do not count. */
  readonly warmup: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunLoadProgress & { policy: PolicyName | undefined; round: number }) => void;
  /** After each run, with all there are so far. */
  readonly onRun?: (runs: readonly ServeRun[]) => Promise<void> | void;
  readonly onNote?: (note: string) => void;
  /** Called when a target is warm and its load is about to begin. */
  readonly beforeLoad?: (target: OpenTarget) => void;
  /** What is done with a target once its load is over, while it is still open. */
  readonly afterLoad?: (target: OpenTarget, run: ServeRun) => Promise<void>;
}

/**
 * Puts the same load on each policy, in turns: a round has every policy once, the next begins with another one, so that
 * what changes on the machine meanwhile changes for all. What was measured when the signal aborts is kept.
 */
export async function serveRuns(options: RunsOptions): Promise<ServeRun[]> {
  const { target, rounds, clock, signal, maxConcurrency, onProgress } = options;
  const policies: readonly (PolicyName | undefined)[] = options.policies ?? [undefined];
  const runs: ServeRun[] = [];
  const noted = new Set<string>();
  const note = (text: string | undefined): void => {
    if (text === undefined || noted.has(text)) return;
    noted.add(text);
    options.onNote?.(text);
  };
  for (let round = 0; round < rounds; round++) {
    const full = options.workload(roundSeed(options.seed, round));
    for (let turn = 0; turn < policies.length && !signal?.aborted; turn++) {
      const policy = policies[(round + turn) % policies.length];
      const opened = await target.open(policy);
      try {
        note(opened.note);
        const clipped = opened.contextLength === undefined ? undefined : clip(full, opened.contextLength);
        note(clipped?.note);
        const workload = clipped?.workload ?? full;
        await warmUp(opened, workload, options);
        if (signal?.aborted) break;
        options.beforeLoad?.(opened);
        opened.steps?.clear();
        const record = await runLoad(workload, opened.driver(workload), {
          clock,
          signal,
          maxConcurrency,
          onProgress: (progress) => onProgress?.({ ...progress, policy, round }),
        });
        const steps = opened.steps?.record();
        const run: ServeRun = {
          ...{ policy, round, record, stats: opened.stats(), prefillChunk: opened.prefillChunk },
          ...(steps === undefined || steps.seen === 0 ? {} : { steps }),
        };
        runs.push(run);
        await options.afterLoad?.(opened, run);
      } finally {
        await opened.close();
      }
      await options.onRun?.(runs);
    }
  }
  return runs;
}

/** Seeds of warm-ups are far from those of runs, so that no prompt of theirs is met again. */
const WARMUP_SEED = 1_000_003;
const WARMUP_TOKENS = 8;

/** The first requests' prompts' lengths and a few tokens each, all at once: what a first time costs is then paid. */
export async function warmUp(
  target: OpenTarget,
  { requests, seed }: Workload,
  { warmup, clock, signal }: Pick<RunsOptions, 'warmup' | 'clock' | 'signal'>,
): Promise<void> {
  const chosen = requests.slice(0, warmup).map(({ index, promptTokens, outputTokens }) => ({
    index,
    atMs: 0,
    promptTokens,
    outputTokens: Math.min(outputTokens, WARMUP_TOKENS),
  }));
  const workload: Workload = { seed: seed + WARMUP_SEED, sharedPrefix: 0, requests: chosen };
  await runLoad(workload, target.driver(workload), { clock, signal });
}

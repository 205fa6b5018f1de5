import { setMaxListeners } from 'node:events';
import { RidgepointError } from '../../../src/errors.js';
import { option, words } from '../../../src/wording.js';
import type { Clock } from '../load/clock.js';
import { percentileOf } from '../../../src/traffic/metrics.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import { warmUp } from '../runs.js';
import type { OpenTarget, Target } from '../targets/target.js';
import type { Workload } from '../../../src/traffic/workload.js';

/** What decoding sequences felt of long prompts. Times in milliseconds. */
export interface LongPromptOutcome {
  readonly policy: PolicyName | undefined;
  /** Gaps between tokens of the decoding sequences that lie, in part at least, between a prompt's arrival and its first token. */
  readonly during: readonly number[];
  /** Gaps while nothing else went on. */
  readonly before: readonly number[];
  /** Of the long prompts. */
  readonly ttfts: readonly number[];
}

export interface LongPromptOptions {
  readonly target: Target;
  readonly policies: readonly (PolicyName | undefined)[];
  /** Sequences that decode. */
  readonly sequences: number;
  /** Tokens of the prompts that arrive. */
  readonly promptTokens: number;
  /** Prompts that arrive, one after the other, for each policy and round. */
  readonly repeats: number;
  readonly rounds: number;
  readonly seed: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** Prompt of the sequences that decode, and tokens each has before the first long prompt comes, and between two. */
export const SHORT_PROMPT = 16;
const SETTLE = 16;
/** Tokens the decoding sequences may need in all; they are stopped when the last prompt has its first token. */
export const MOST_DECODED = 1024;
const LONG_OUTPUT = 2;

/** Room the scenario needs in a KV cache, in tokens. */
export const longPromptTokens = ({ sequences, promptTokens }: Pick<LongPromptOptions, 'sequences' | 'promptTokens'>) =>
  sequences * (SHORT_PROMPT + MOST_DECODED) + promptTokens + LONG_OUTPUT + 16;

/** All policies in turns; gaps of the same policy are pooled. */
export async function longPromptScenario(options: LongPromptOptions): Promise<LongPromptOutcome[]> {
  const { policies, rounds, target, signal, onProgress } = options;
  const found = new Map<PolicyName | undefined, LongPromptOutcome[]>();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < policies.length && !signal?.aborted; turn++) {
      const policy = policies[(round + turn) % policies.length];
      onProgress?.(`round ${round + 1} of ${rounds}${policy === undefined ? '' : `: ${policy}`}`);
      const opened = await target.open(policy);
      try {
        const outcome = await once(opened, policy, round, options);
        if (outcome !== undefined) found.set(policy, [...(found.get(policy) ?? []), outcome]);
      } finally {
        await opened.close();
      }
    }
  }
  return policies.flatMap((policy) => {
    const outcomes = found.get(policy);
    if (outcomes === undefined) return [];
    const pool = (key: 'during' | 'before' | 'ttfts'): number[] => outcomes.flatMap((outcome) => outcome[key]);
    return [{ policy, during: pool('during'), before: pool('before'), ttfts: pool('ttfts') }];
  });
}

/** One policy, one round; undefined when it was stopped. */
async function once(
  opened: OpenTarget,
  policy: PolicyName | undefined,
  round: number,
  { sequences, promptTokens, repeats, seed, clock, signal }: LongPromptOptions,
): Promise<LongPromptOutcome | undefined> {
  const needs = promptTokens + LONG_OUTPUT;
  if (opened.contextLength !== undefined && needs > opened.contextLength) {
    throw new RidgepointError(
      'usage',
      words`${option('benchServe.scenario')} long-prompt needs a context of ${needs}, the model has ${opened.contextLength}; use ${option('model')} tiny-4k ${option('weights')} synthetic, or a shorter ${option('benchServe.longPrompt')}`,
    );
  }
  const room = (opened.contextLength ?? Infinity) - SHORT_PROMPT;
  const requests = [
    ...Array.from({ length: sequences }, () => ({
      promptTokens: SHORT_PROMPT,
      outputTokens: Math.min(MOST_DECODED, room),
    })),
    ...Array.from({ length: repeats }, () => ({ promptTokens, outputTokens: LONG_OUTPUT })),
  ].map((lengths, index) => ({ ...lengths, index, atMs: 0 }));
  const workload: Workload = { seed: seed + round, sharedPrefix: 0, requests };
  // Both kinds of prompts once, so that no kernel runs for the first time in the measurement.
  await warmUp(opened, { ...workload, requests: requests.slice(0, sequences) }, { warmup: sequences, clock, signal });
  await warmUp(opened, { ...workload, requests: requests.slice(-1) }, { warmup: 1, clock, signal });

  const driver = opened.driver(workload);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // one listener a sequence and more
  const stopped = (): void => stop.abort();
  if (signal?.aborted) stopped();
  signal?.addEventListener('abort', stopped, { once: true });
  const decoders = requests.slice(0, sequences).map(() => new Decoder());
  const decoding = Promise.allSettled(
    decoders.map((decoder, at) =>
      driver.prepare(requests[at])({ signal: stop.signal, onTokens: () => decoder.arrived(clock.now()) }),
    ),
  );
  let over: string | undefined;
  void decoding.then((ends) => {
    const rejected = ends.find((end) => end.status === 'rejected');
    over = rejected ? String(rejected.reason) : 'the decoding sequences ended before the last prompt came';
    for (const decoder of decoders) decoder.end();
  });
  const settled = async (): Promise<void> => {
    await Promise.all(decoders.map((decoder) => decoder.more(SETTLE)));
    if (over !== undefined && !signal?.aborted)
      throw new RidgepointError('internal', words`${option('benchServe.scenario')} long-prompt: ${over}`);
  };
  const windows: { from: number; until: number }[] = [];
  try {
    await settled();
    for (const request of requests.slice(sequences)) {
      if (signal?.aborted) return undefined;
      const send = driver.prepare(request);
      const from = clock.now();
      let until: number | undefined;
      await send({ signal: stop.signal, onTokens: () => (until ??= clock.now()) });
      if (until !== undefined) windows.push({ from, until });
      await settled();
    }
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  } finally {
    stop.abort();
    signal?.removeEventListener('abort', stopped);
    await decoding;
  }
  const gaps = decoders.flatMap(({ times }) => times.slice(1).map((end, index) => ({ begin: times[index], end })));
  const meets = ({ begin, end }: (typeof gaps)[number]): boolean =>
    windows.some(({ from, until }) => end > from && begin < until);
  const lengthsOf = (list: typeof gaps): number[] => list.map(({ begin, end }) => end - begin);
  return {
    policy,
    during: lengthsOf(gaps.filter(meets)),
    before: lengthsOf(gaps.filter(({ end }) => end <= windows[0].from)),
    ttfts: windows.map(({ from, until }) => until - from),
  };
}

/** A sequence that decodes while others come and go. */
class Decoder {
  readonly times: number[] = [];
  #waiting: { count: number; resolve: () => void } | undefined;
  #ended = false;

  arrived(at: number): void {
    this.times.push(at);
    if (this.#waiting !== undefined && this.times.length >= this.#waiting.count) this.#waiting.resolve();
  }

  /** Resolves after so many further tokens, or when it has ended. */
  more(count: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting = { count: this.times.length + count, resolve }));
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve();
  }
}

/** ITL p99 under `policy` as a share of that under `base`: the figure the scenario is for. */
export function itlShare(outcomes: readonly LongPromptOutcome[], policy: PolicyName, base: PolicyName) {
  const p99 = (name: PolicyName): number | undefined =>
    percentileOf(outcomes.find((outcome) => outcome.policy === name)?.during ?? [], 99);
  const [a, b] = [p99(policy), p99(base)];
  return a === undefined || b === undefined ? undefined : a / b;
}

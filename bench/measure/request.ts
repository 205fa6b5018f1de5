import type { GenerateOptions, Prompt } from '../../src/engine/api.js';
import { RidgepointError } from '../../src/errors.js';
import { seedOf } from '../../src/seed.js';
import { randomIds, randomText } from '../prompts.js';
import type { BenchTarget } from './target.js';

/** When the tokens of one request arrived, in milliseconds since it was made. */
export interface RequestTimes {
  readonly arrivals: readonly number[];
}

/** What one batch of requests made at the same moment took. */
export interface BatchTimes {
  readonly requests: readonly RequestTimes[];
}

/** Sampled, but always the same: what a user does by default, free of chance. */
const SAMPLING: GenerateOptions = { temperature: 1, topK: 0, topP: 1, seed: 1, ignoreEos: true };

/**
 * A prompt of exactly `length` tokens. With a name for each run no earlier one has seen it, so that no cached prefix
 * shortens it. Text where asked for and to be had.
 */
export function makePrompt(target: BenchTarget, length: number, kind: 'text' | 'ids', name: string): Prompt {
  const seed = seedOf(name);
  const text = kind === 'text' && target.hasTokenizer ? randomText(target, length, seed) : undefined;
  return text ?? randomIds(target.config.vocab, length, seed);
}

/** Makes all requests at once and notes when each token comes. */
export async function runBatch(
  target: BenchTarget,
  prompts: readonly Prompt[],
  maxTokens: number,
  signal?: AbortSignal,
): Promise<BatchTimes> {
  const requests = prompts.map(async (prompt): Promise<RequestTimes> => {
    const began = performance.now();
    const generation = target.generate(prompt, { ...SAMPLING, maxTokens, signal });
    const arrivals: number[] = [];
    for await (const chunk of generation) {
      if (chunk.ids.length > 0) arrivals.push(performance.now() - began);
    }
    signal?.throwIfAborted();
    if (arrivals.length !== maxTokens) {
      const { finishReason } = await generation.result;
      throw new RidgepointError('internal', `a request ended (${finishReason}) after ${arrivals.length} tokens`);
    }
    return { arrivals };
  });
  return { requests: await Promise.all(requests) };
}

/** Time to the first token, of the request that waited longest. */
export const ttftOf = ({ requests }: BatchTimes): number => Math.max(...requests.map(({ arrivals }) => arrivals[0]));

/** Time to the last token of all. */
export const e2eOf = ({ requests }: BatchTimes): number =>
  Math.max(...requests.map(({ arrivals }) => arrivals.at(-1)!));

/**
 * Mean gap between tokens while all sequences decode. For one request (E2E - TTFT) / (n - 1); for several the clock
 * starts when the last of them has its first token, so that prefills do not count as decoding.
 */
export const tpotOf = (times: BatchTimes): number =>
  (e2eOf(times) - ttftOf(times)) / (times.requests[0].arrivals.length - 1);

/** The gap before each token but the first. */
export const gapsOf = ({ arrivals }: RequestTimes): number[] =>
  arrivals.slice(1).map((at, index) => at - arrivals[index]);

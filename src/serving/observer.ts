import type { GenerationResult } from '../engine/api.js';
import type { RequestRecord } from '../outlook/journal.js';

/** What a request reports while it runs. */
export interface RequestObserver {
  /** Results so far, in the order in which choices ended. */
  readonly results: readonly GenerationResult[];
  /** A choice was given to the engine; `ended` or `failed` follows. */
  started(): void;
  /** Resolves when all that were started have ended. */
  settled(): Promise<void>;
  /** Tokens of a choice arrived from the engine. */
  tokens(choice: number, count: number): void;
  ended(result: GenerationResult): void;
  failed(): void;
}

/** Who counts requests. */
export interface Counters {
  /** @param startedAt milliseconds of `performance.now()` */
  request(startedAt: number): RequestObserver;
  /** @param tokens of each input of a request for embeddings */
  embedded(tokens: readonly number[]): void;
}

/** Who is told what was expected and what came. Milliseconds. */
export interface OutlookCounters {
  ttft(expected: number, ms: number): void;
  step(expected: number, ms: number): void;
  ended(record: RequestRecord): void;
}

/** Nobody counts, where nobody would ask. */
export const UNCOUNTED: Counters & OutlookCounters = {
  request: () => ({
    results: [],
    started: () => undefined,
    settled: () => Promise.resolve(),
    tokens: () => undefined,
    ended: () => undefined,
    failed: () => undefined,
  }),
  embedded: () => undefined,
  ttft: () => undefined,
  step: () => undefined,
  ended: () => undefined,
};

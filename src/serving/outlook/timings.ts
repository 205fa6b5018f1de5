import type { GenerationResult } from '../../engine/api.js';
import type { RequestRecord } from '../../outlook/journal.js';
import type { PriceSource } from '../../outlook/prices.js';

/** What a choice took, and what it was expected to when it came. Milliseconds; null for what there was not. */
export interface Timings {
  /** From the request to its first step, from there to the first token, from there to the last. */
  readonly queue_ms: number | null;
  readonly prefill_ms: number | null;
  readonly decode_ms: number | null;
  readonly ttft_ms: number | null;
  /** Mean gap between two tokens. */
  readonly itl_ms: number | null;
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly tokens: number;
  readonly predicted: {
    readonly ttft_ms: number | null;
    readonly itl_ms: number | null;
    readonly from: PriceSource;
  } | null;
}

const between = (from: number | undefined, to: number | undefined): number | null =>
  from === undefined || to === undefined ? null : rounded(to - from);

/** Three places after the point: a microsecond. */
export const rounded = (ms: number): number => Math.round(1000 * ms) / 1000;

export function timingsOf(record: RequestRecord, from: PriceSource, result?: GenerationResult): Timings {
  const { sequence, arrivedAt, begunAt, firstAt, lastAt, expected } = record;
  const tokens = result?.ids.length ?? record.tokens;
  return {
    queue_ms: between(arrivedAt, begunAt),
    prefill_ms: between(begunAt, firstAt),
    decode_ms: between(firstAt, lastAt),
    ttft_ms: between(arrivedAt, firstAt),
    itl_ms: tokens > 1 && firstAt !== undefined ? rounded((lastAt! - firstAt) / (tokens - 1)) : null,
    prompt_tokens: sequence.promptLength,
    cached_tokens: sequence.cachedTokens,
    tokens,
    predicted:
      expected === undefined ? null : { ttft_ms: orNull(expected.ttftMs), itl_ms: orNull(expected.itlMs), from },
  };
}

const orNull = (ms: number | undefined): number | null => (ms === undefined ? null : rounded(ms));

import type { LinkShape } from './shaped-pipe.js';

/** A prompt computed for somebody else, as far as its way there goes. */
export interface SentPrompt {
  /** Computing all of it, and its first chunk. */
  readonly prefillMs: number;
  readonly firstChunkMs: number;
  /** All keys and values that are sent, and those of the last chunk. */
  readonly bytes: number;
  readonly lastBytes: number;
}

/** Bytes a millisecond of a network's megabits a second. */
export const bytesPerMs = (mbit: number): number => (mbit * 1e6) / 8 / 1000;

/**
 * How long keys and values keep a request waiting after its prompt has been computed: the last chunk's way, or what the
 * link still owes of the chunks before; and a round trip, there for the request and back for the last byte.
 *
 * @returns milliseconds
 */
export function exposedMs(
  { prefillMs, firstChunkMs, bytes, lastBytes }: SentPrompt,
  { bytesPerMs: rate = Infinity, delayMs = 0 }: LinkShape,
): number {
  return Math.max(lastBytes / rate, bytes / rate - (prefillMs - firstChunkMs)) + 2 * delayMs;
}

/**
 * Bytes of a prompt that are sent: of its whole blocks but for the one with its last token, which is computed where it
 * is wanted.
 *
 * @param chunk tokens of a prompt in one step
 */
export function sentBytes(
  promptTokens: number,
  chunk: number,
  { blockTokens, blockBytes }: { readonly blockTokens: number; readonly blockBytes: number },
): Pick<SentPrompt, 'bytes' | 'lastBytes'> {
  const blocks = Math.floor((promptTokens - 1) / blockTokens);
  const lastChunk = (blocks * blockTokens) % chunk || chunk;
  const last = Math.min(blocks, Math.ceil(lastChunk / blockTokens));
  return { bytes: blocks * blockBytes, lastBytes: last * blockBytes };
}

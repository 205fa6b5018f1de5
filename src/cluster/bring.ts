import type { GenerateOptions, Generation, Prompt } from '../engine/api.js';
import type { CoreEngine } from '../engine/engine.js';
import type { KvReservation } from '../engine/kv-reservation.js';
import type { KvPiece } from '../engine/prefill-run.js';
import type { TransferCounts } from './counts.js';

/** Whoever computes prompts for others. */
export interface KvSource {
  /** For logs. */
  readonly name: string;
  /**
   * The keys and values of a prompt's whole blocks, as they are computed. Ends early, or throws, where it breaks off.
   *
   * @param from the first block that is wanted
   */
  pieces(promptIds: readonly number[], from: number, signal: AbortSignal): AsyncIterable<KvPiece>;
}

/** What became of the keys and values of one request. */
export interface Brought {
  readonly bytes: number;
  readonly ms: number;
  /** Why it was not all; undefined where it was. */
  readonly missing: string | undefined;
}

export interface BringOptions {
  readonly source: KvSource;
  readonly counts: TransferCounts;
  readonly onBrought?: (brought: Brought) => void;
}

/**
 * Generates with the keys and values of the prompt computed elsewhere. They are filed in the engine's cache under their
 * names, block by block; the engine finds them there and computes what is missing. Whatever goes wrong on the way costs
 * time and nothing else.
 */
export function generateFrom(
  engine: CoreEngine,
  prompt: Prompt,
  options: GenerateOptions,
  { source, counts, onBrought }: BringOptions,
): Generation {
  let reservation: KvReservation | undefined;
  const generation = engine.generateAfter(prompt, options, async (promptIds, ended) => {
    const names = engine.kv.namesOf(promptIds);
    if (engine.kv.beginning(names) === names.length) return;
    const began = performance.now();
    reservation = engine.kv.reserve(names, { priority: options.priority });
    counts.begin();
    const brought =
      reservation === undefined
        ? { bytes: 0, missing: 'no room' }
        : await bring(promptIds.slice(0, -1), reservation, source, ended);
    const whole = { ...brought, ms: performance.now() - began };
    counts.end(whole);
    onBrought?.(whole);
  });
  // Its blocks are its own when its first token comes.
  void generation[Symbol.asyncIterator]()
    .next()
    .catch(() => undefined)
    .finally(() => reservation?.end());
  return generation;
}

async function bring(
  promptIds: readonly number[],
  reservation: KvReservation,
  source: KvSource,
  ended: AbortSignal,
): Promise<Omit<Brought, 'ms'>> {
  const signal = AbortSignal.any([ended, reservation.signal]);
  let bytes = 0;
  let failure: string | undefined;
  try {
    for await (const piece of source.pieces(promptIds, reservation.beginning, signal)) {
      if (!reservation.write(piece, piece.bytes)) break;
      bytes += piece.bytes.length;
    }
  } catch (error) {
    failure = reasonOf(error);
  }
  if (ended.aborted) return { bytes, missing: 'the request ended' };
  if (reservation.signal.aborted) return { bytes, missing: 'the room was needed' };
  const missing = reservation.beginning === reservation.blocks ? undefined : (failure ?? 'broken off');
  return { bytes, missing };
}

/** A few words, since each is a label of a metric. */
function reasonOf(error: unknown): string {
  return error instanceof TransferError ? error.reason : 'failed';
}

/** A transfer that came to nothing, for a reason that is counted. */
export class TransferError extends Error {
  override readonly name = 'TransferError';

  constructor(
    readonly reason: 'busy' | 'lost' | 'damaged' | 'silent' | 'failed',
    message: string,
  ) {
    super(message);
  }
}

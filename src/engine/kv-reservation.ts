import { partBytes, type KvPart } from '../cache/block-copy.js';
import type { PagedKv } from '../cache/paged-kv.js';
import { RidgepointError } from '../errors.js';
import type { Reservation } from '../scheduler/reservations.js';
import type { ImportRing } from './import-ring.js';

/**
 * Room in the cache for the blocks of a prompt that come from elsewhere. What has come whole is found by whoever is
 * generated for from then on; the rest is computed.
 */
export class KvReservation implements Disposable {
  /** Layers that have come, of the blocks that come in several parts. */
  readonly #layers = new Map<number, Set<number>>();

  readonly #reservation: Reservation;
  readonly #ring: ImportRing;
  readonly #cache: PagedKv;

  constructor(
    reservation: Reservation,
    ring: ImportRing,
    cache: PagedKv,
    /** Aborted when the blocks are taken back. */
    readonly signal: AbortSignal,
  ) {
    this.#reservation = reservation;
    this.#ring = ring;
    this.#cache = cache;
  }

  /** Blocks of the prompt. */
  get blocks(): number {
    return this.#reservation.blocks.length;
  }

  /** How many of its first blocks are there. */
  get beginning(): number {
    return this.#reservation.beginning;
  }

  get open(): boolean {
    return this.#reservation.open;
  }

  /**
   * Files a part. What is there already is left alone, so a part may come twice, and none is written once the
   * reservation has ended.
   *
   * @returns whether it was taken
   * @throws RidgepointError where the part does not fit the cache
   */
  write(part: KvPart, bytes: Uint8Array): boolean {
    const { firstBlock, blocks, firstLayer, layers } = part;
    const all = this.#cache.layers.length;
    const fits = firstBlock >= 0 && firstLayer >= 0 && blocks >= 1 && layers >= 1 && firstLayer + layers <= all;
    if (!fits || firstBlock + blocks > this.blocks || bytes.length !== partBytes(this.#cache, part)) {
      throw new RidgepointError(
        'internal',
        `keys and values of ${bytes.length} bytes do not fit the blocks they are for`,
      );
    }
    if (!this.#reservation.open) return false;
    const wanted = Array.from({ length: blocks }, (_, i) => firstBlock + i).filter((i) => !this.#reservation.has(i));
    if (wanted.length === blocks) {
      this.#ring.write(part, this.#reservation.blocks.slice(firstBlock, firstBlock + blocks), bytes);
    } else {
      for (const index of wanted) this.#writeOne(part, index, bytes);
    }
    for (const index of wanted) this.#came(index, part);
    return true;
  }

  end(): void {
    this.#reservation.end();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #writeOne(part: KvPart, index: number, bytes: Uint8Array): void {
    const { blockBytes } = this.#cache;
    const own = new Uint8Array(2 * part.layers * blockBytes);
    for (let at = 0; at < 2 * part.layers; at++) {
      const from = (at * part.blocks + index - part.firstBlock) * blockBytes;
      own.set(bytes.subarray(from, from + blockBytes), at * blockBytes);
    }
    const alone = { ...part, firstBlock: index, blocks: 1 };
    this.#ring.write(alone, [this.#reservation.blocks[index]], own);
  }

  #came(index: number, { firstLayer, layers }: KvPart): void {
    const all = this.#cache.layers.length;
    if (layers < all) {
      const come = this.#layers.get(index) ?? new Set<number>();
      this.#layers.set(index, come);
      for (let layer = firstLayer; layer < firstLayer + layers; layer++) come.add(layer);
      if (come.size < all) return;
      this.#layers.delete(index);
    }
    this.#reservation.publish(index);
  }
}

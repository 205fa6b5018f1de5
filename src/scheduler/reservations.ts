import type { BlockPool } from './block-pool.js';
import { goesBefore, type Placed } from './sequence.js';

export interface ReservationOptions {
  /** Of the request the content is for; lower goes first; default 0. */
  readonly priority?: number;
  /** Told when the blocks are taken back because somebody who runs needs them. */
  readonly onTakenBack?: () => void;
}

interface ReservedBlocks extends Placed {
  readonly names: readonly string[];
  /** A block for each name. */
  readonly blocks: readonly number[];
  /** Places of those that have their content. */
  readonly filled: ReadonlySet<number>;
  /** Told when the reservation is over. */
  readonly ended: (reservation: Reservation) => void;
}

/**
 * Blocks for content that comes from elsewhere: those that have it already, held so that they stay, and empty ones for
 * the rest. Whoever fills one says so by `publish`, and from then on it is found like any other. A reservation promises
 * nothing: it ends when the scheduler takes it back, and what was published stays in the cache either way.
 */
export class Reservation implements Placed, Disposable {
  /** A block for each name. */
  readonly blocks: readonly number[];
  readonly #filled: Set<number>;
  #open = true;
  readonly #pool: BlockPool;
  readonly #names: readonly string[];
  readonly #ended: (reservation: Reservation) => void;
  readonly arrival: number;
  readonly priority: number;

  constructor(pool: BlockPool, { names, blocks, filled, arrival, priority, ended }: ReservedBlocks) {
    this.arrival = arrival;
    this.priority = priority;
    this.#pool = pool;
    this.#names = names;
    this.#ended = ended;
    this.blocks = blocks;
    this.#filled = new Set(filled);
  }

  /** Whether its blocks are still its own to write to. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether the block of the name at `index` has its content. */
  has(index: number): boolean {
    return this.#filled.has(index);
  }

  /** How many of the first blocks have their content. */
  get beginning(): number {
    let count = 0;
    while (this.#filled.has(count)) count++;
    return count;
  }

  /** Says that the block at `index` has been filled; nobody may write to it from now on. */
  publish(index: number): void {
    if (!this.#open) throw new Error('the reservation has ended');
    if (this.#filled.has(index)) return;
    this.#filled.add(index);
    this.#pool.publish(this.blocks[index], this.#names[index]);
  }

  /** Lets go of all blocks. Safe to call twice. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    // The tail first, so that of a prompt that is kept the beginning stays longest.
    for (const block of [...this.blocks].reverse()) this.#pool.release(block);
    this.#ended(this);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** The reservations of a pool, and whose turn it is to give way. */
export class Reservations {
  readonly #open = new Map<Reservation, { readonly allocated: number; readonly onTakenBack?: () => void }>();
  readonly #pool: BlockPool;
  readonly #most: number;

  /** @param most blocks that may be allocated for content that has yet to come */
  constructor(pool: BlockPool, most: number) {
    this.#pool = pool;
    this.#most = most;
  }

  /** Blocks that reservations which have not ended found without their content. */
  get blocks(): number {
    return [...this.#open.values()].reduce((sum, { allocated }) => sum + allocated, 0);
  }

  /** Reservations that have not ended. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * @param arrival its place in the order of arrival
   * @param spare blocks that must stay free
   * @returns undefined where there is no room
   */
  make(
    names: readonly string[],
    arrival: number,
    spare: number,
    { priority = 0, onTakenBack }: ReservationOptions = {},
  ): Reservation | undefined {
    const found = names.map((name) => this.#pool.find(name));
    const missing = found.filter((block) => block === undefined).length;
    const kept = found.filter((block) => block !== undefined && this.#pool.holders(block) === 0).length;
    if (missing + this.blocks > this.#most || missing + spare > this.#pool.free - kept) return undefined;
    for (const block of found) if (block !== undefined) this.#pool.share(block);
    const blocks = found.map((block) => block ?? this.#pool.allocate()!);
    const filled = new Set(found.flatMap((block, index) => (block === undefined ? [] : [index])));
    const ended = (over: Reservation): boolean => this.#open.delete(over);
    const made = new Reservation(this.#pool, { names, blocks, filled, arrival, priority, ended });
    this.#open.set(made, { allocated: missing, onTakenBack });
    return made;
  }

  /** Takes the last in the order back, if it comes after `place` where that is given. @returns whether there was one */
  takeBack(place?: Placed): boolean {
    const last = this.#after(place).at(-1);
    if (last === undefined) return false;
    const { onTakenBack } = this.#open.get(last)!;
    last.end();
    onTakenBack?.();
    return true;
  }

  /** Blocks that nobody would hold any more if all that come after `place` were taken back, but for those of `but`. */
  wouldFree(place: Placed | undefined, but: readonly number[]): number {
    const holds = new Map<number, number>();
    for (const { blocks } of this.#after(place)) {
      for (const block of blocks) holds.set(block, (holds.get(block) ?? 0) + 1);
    }
    for (const block of but) holds.delete(block);
    return [...holds].filter(([block, count]) => this.#pool.holders(block) === count).length;
  }

  /** In the order of service. */
  #after(place: Placed | undefined): Reservation[] {
    const all = [...this.#open.keys()].filter((each) => place === undefined || goesBefore(place, each));
    return all.sort((a, b) => (goesBefore(a, b) ? -1 : 1));
  }
}

/** How often a request that a worker did not finish is tried elsewhere. */
export const MOST_RETRIES = 3;

/** What a router knows of a request that workers answer for it. */
export interface LedgerEntry {
  readonly id: string;
  /** The current try, from 1; 0 before the first. */
  readonly attempt: number;
  /** Who has it; undefined while nobody does. */
  readonly worker: string | undefined;
  /** What has come, of all attempts together. */
  readonly ids: readonly number[];
  /** Who has lost it; another one is better. */
  readonly lostBy: readonly string[];
  readonly state: 'waiting' | 'running' | 'ended' | 'failed';
}

interface Row extends LedgerEntry {
  attempt: number;
  worker: string | undefined;
  readonly ids: number[];
  readonly lostBy: string[];
  state: LedgerEntry['state'];
}

/** What is new of the ids that a worker sent; `gap` where some before them are missing. */
export type Taken = { readonly fresh: readonly number[]; readonly skipped: number } | 'gap' | 'stale';

/**
 * Who answers which request, and what has come of the answer. Pure: a worker's loss, its failure, its refusal for want
 * of room and its silence are all one to it. Places of ids and numbers of attempts make whatever comes twice, late or
 * from somebody who is not asked any more harmless.
 */
export class RequestLedger {
  readonly #rows = new Map<string, Row>();

  /** Requests that are neither ended nor failed. */
  get size(): number {
    return this.#rows.size;
  }

  /** A new request, which waits for a worker. */
  open(id: string, ids: readonly number[] = []): LedgerEntry {
    if (this.#rows.has(id)) throw new RangeError(`request ${id} is there already`);
    const row: Row = { id, attempt: 0, worker: undefined, ids: [...ids], lostBy: [], state: 'waiting' };
    this.#rows.set(id, row);
    return row;
  }

  get(id: string): LedgerEntry | undefined {
    return this.#rows.get(id);
  }

  /** A worker has got a waiting request. @returns the number of the attempt */
  place(id: string, worker: string): number {
    const row = this.#rows.get(id);
    if (row?.state !== 'waiting') throw new RangeError(`request ${id} does not wait`);
    row.worker = worker;
    row.state = 'running';
    return ++row.attempt;
  }

  /** Whether something that a worker says is about what it is asked for now. */
  isCurrent(id: string, attempt: number): boolean {
    const row = this.#rows.get(id);
    return row?.state === 'running' && row.attempt === attempt;
  }

  /** @param index place of the first id in the whole answer */
  take(id: string, attempt: number, index: number, ids: readonly number[]): Taken {
    if (!this.isCurrent(id, attempt)) return 'stale';
    const row = this.#rows.get(id)!;
    const skipped = row.ids.length - index;
    if (skipped < 0) return 'gap';
    const fresh = ids.slice(skipped);
    row.ids.push(...fresh);
    return { fresh, skipped: Math.min(skipped, ids.length) };
  }

  /** An attempt has come to its end with so many ids. @returns whether they are all there */
  end(id: string, attempt: number, count: number): 'ended' | 'gap' | 'stale' {
    if (!this.isCurrent(id, attempt)) return 'stale';
    if (this.#rows.get(id)!.ids.length < count) return 'gap';
    this.close(id);
    return 'ended';
  }

  /** An attempt came to nothing. @returns what follows */
  lose(id: string, attempt: number): 'again' | 'failed' | 'stale' {
    if (!this.isCurrent(id, attempt)) return 'stale';
    const row = this.#rows.get(id)!;
    row.lostBy.push(row.worker!);
    row.worker = undefined;
    row.state = 'waiting';
    if (row.attempt <= MOST_RETRIES) return 'again';
    row.state = 'failed';
    this.#rows.delete(id);
    return 'failed';
  }

  /** Forgets a request, whatever became of it. */
  close(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    row.state = 'ended';
    this.#rows.delete(id);
  }

  /** The running requests of a worker. */
  of(worker: string): LedgerEntry[] {
    return [...this.#rows.values()].filter((row) => row.worker === worker);
  }

  /** Those that a worker has. */
  get running(): LedgerEntry[] {
    return [...this.#rows.values()].filter(({ state }) => state === 'running');
  }

  /** Those that wait for a worker, in the order in which they came. */
  get waiting(): LedgerEntry[] {
    return [...this.#rows.values()].filter(({ state }) => state === 'waiting');
  }
}

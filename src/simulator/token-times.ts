import type { TraceColumns } from './trace-columns.js';

/** Times `ends[from..to)`. */
interface Run {
  readonly ends: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * When the tokens of one request were made. Steps of a stretch of pure decoding are the same for all who took part, so
 * a request keeps where its part of them lies, and single times only for the rest.
 */
export class TokenTimes {
  readonly #columns: TraceColumns;
  readonly #at: number;
  /** Absent where single times are not kept. */
  #parts: (number | Run)[] | undefined;

  /** @param keep whether every single time can be asked for, until they are forgotten */
  constructor(columns: TraceColumns, at: number, keep: boolean) {
    this.#columns = columns;
    this.#at = at;
    this.#parts = keep ? [] : undefined;
  }

  get count(): number {
    return this.#columns.tokens[this.#at];
  }

  /** Seconds; NaN before there is one. */
  get first(): number {
    return this.#columns.first[this.#at];
  }

  get last(): number {
    return this.#columns.last[this.#at];
  }

  push(time: number): void {
    this.#note(time, time, 1);
    this.#parts?.push(time);
  }

  /** The only token there is counts as made later. */
  delayFirst(time: number): void {
    this.#columns.first[this.#at] = this.#columns.last[this.#at] = time;
    if (this.#parts !== undefined) this.#parts[0] = time;
  }

  /** Adds the times `ends[from..to)`; the array must not change for these places afterwards. */
  pushRun(ends: readonly number[], from: number, to: number): void {
    if (to === from) return;
    this.#note(ends[from], ends[to - 1], to - from);
    this.#parts?.push({ ends, from, to });
  }

  /** Every time, in order. @throws Error where they were not kept */
  all(): number[] {
    if (this.#parts === undefined) throw new Error('the times of single tokens were not kept');
    // A list of the length it will have: there may be millions of times.
    const times = new Array<number>(this.count);
    let count = 0;
    for (const part of this.#parts) {
      if (typeof part === 'number') times[count++] = part;
      else for (let at = part.from; at < part.to; at++) times[count++] = part.ends[at];
    }
    return times;
  }

  /** Keeps single times no longer. */
  forget(): void {
    this.#parts = undefined;
  }

  #note(first: number, last: number, count: number): void {
    const { tokens, first: firsts, last: lasts } = this.#columns;
    const at = this.#at;
    if (tokens[at] === 0) firsts[at] = first;
    lasts[at] = last;
    tokens[at] += count;
  }
}

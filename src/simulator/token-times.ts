/** Times `ends[from..to)`. */
interface Run {
  readonly ends: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * When the tokens of one request were made. Steps of a stretch of pure decoding are the same for all who took part, so
 * a request keeps where its part of them lies, and single times only for the rest: a million requests fit into memory.
 */
export class TokenTimes {
  #count = 0;
  #first = NaN;
  #second = NaN;
  #last = NaN;
  #longestGap = 0;
  /** Absent where single times are not kept. */
  readonly #parts: (number | Run)[] | undefined;

  /** @param keep whether every single time can be asked for in the end */
  constructor(keep: boolean) {
    this.#parts = keep ? [] : undefined;
  }

  get count(): number {
    return this.#count;
  }

  /** Seconds; NaN before there is one. */
  get first(): number {
    return this.#first;
  }

  get second(): number {
    return this.#second;
  }

  get last(): number {
    return this.#last;
  }

  /** Seconds; 0 where there are fewer than two tokens. */
  get longestGap(): number {
    return this.#longestGap;
  }

  push(time: number): void {
    this.#note(time);
    this.#parts?.push(time);
  }

  /** The only token there is counts as made later. */
  delayFirst(time: number): void {
    this.#first = this.#last = time;
    if (this.#parts !== undefined) this.#parts[0] = time;
  }

  /** Adds the times `ends[from..to)`; the array must not change for these places afterwards. */
  pushRun(ends: readonly number[], from: number, to: number): void {
    for (let at = from; at < to; at++) this.#note(ends[at]);
    if (to > from) this.#parts?.push({ ends, from, to });
  }

  /** Every time, in order. @throws Error where they were not kept */
  all(): number[] {
    if (this.#parts === undefined) throw new Error('the times of single tokens were not kept');
    // A list of the length it will have: there may be millions of times.
    const times = new Array<number>(this.#count);
    let count = 0;
    for (const part of this.#parts) {
      if (typeof part === 'number') times[count++] = part;
      else for (let at = part.from; at < part.to; at++) times[count++] = part.ends[at];
    }
    return times;
  }

  #note(time: number): void {
    if (this.#count === 0) this.#first = time;
    else {
      if (this.#count === 1) this.#second = time;
      this.#longestGap = Math.max(this.#longestGap, time - this.#last);
    }
    this.#last = time;
    this.#count++;
  }
}

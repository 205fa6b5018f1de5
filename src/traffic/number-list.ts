/** Numbers in a row, 8 bytes each; a list of JavaScript's takes as much again while it grows. */
export class NumberList {
  #room = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#room.length) {
      const more = new Float64Array(2 * this.#room.length);
      more.set(this.#room);
      this.#room = more;
    }
    this.#room[this.#length++] = value;
  }

  /** What there is, as it came; not a copy. */
  values(): Float64Array {
    return this.#room.subarray(0, this.#length);
  }

  /** The same from the smallest up, in place of the order they came in. */
  sorted(): Float64Array {
    return this.values().sort();
  }

  clear(): void {
    this.#room = new Float64Array(1024);
    this.#length = 0;
  }
}

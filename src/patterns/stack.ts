/** Entries of an instruction and a range of places, of which the last is to be tried first; a range is one entry. */
export class Stack {
  /** [entries][instruction, first place, last place] */
  #entries = new Int32Array(3 * 16);
  #end = 0;

  get size(): number {
    return this.#end / 3;
  }

  push(instruction: number, first: number, last: number): void {
    if (this.#end === this.#entries.length) {
      const larger = new Int32Array(2 * this.#end);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    const entries = this.#entries;
    entries[this.#end] = instruction;
    entries[this.#end + 1] = first;
    entries[this.#end + 2] = last;
    this.#end += 3;
  }

  pop(): void {
    this.#end -= 3;
  }

  clear(): void {
    this.#end = 0;
  }

  /** Of the top entry, as the two below. */
  get instruction(): number {
    return this.#entries[this.#end - 3];
  }

  get first(): number {
    return this.#entries[this.#end - 2];
  }

  get last(): number {
    return this.#entries[this.#end - 1];
  }

  set last(place: number) {
    this.#entries[this.#end - 1] = place;
  }
}

/** Numbers by pairs of whole numbers from 0: open addressing in typed arrays, some times faster than a Map of strings. */
export class PairMap {
  #mask: number;
  #size = 0;
  /** [slots][first, second, value]; a first of -1 is a free slot. */
  #slots: Int32Array;

  constructor(expected = 16) {
    let capacity = 16;
    while (capacity < 2 * expected) capacity *= 2;
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(3 * capacity).fill(-1);
  }

  get size(): number {
    return this.#size;
  }

  /** The value of a pair, or -1. */
  get(first: number, second: number): number {
    const slots = this.#slots;
    const at = 3 * this.#find(first, second);
    return slots[at] < 0 ? -1 : slots[at + 2];
  }

  /** @param value a whole number from 0 */
  set(first: number, second: number, value: number): void {
    let at = 3 * this.#find(first, second);
    if (this.#slots[at] < 0) {
      if (2 * (this.#size + 1) > this.#mask) {
        this.#grow();
        at = 3 * this.#find(first, second);
      }
      this.#size++;
    }
    this.#slots[at] = first;
    this.#slots[at + 1] = second;
    this.#slots[at + 2] = value;
  }

  #find(first: number, second: number): number {
    const slots = this.#slots;
    let slot = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    for (; ; slot = (slot + 1) & this.#mask) {
      const found = slots[3 * slot];
      if (found < 0 || (found === first && slots[3 * slot + 1] === second)) return slot;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = 2 * this.#mask + 1;
    this.#slots = new Int32Array(3 * (this.#mask + 1)).fill(-1);
    for (let i = 0; i < old.length; i += 3) {
      if (old[i] < 0) continue;
      const at = 3 * this.#find(old[i], old[i + 1]);
      this.#slots.set(old.subarray(i, i + 3), at);
    }
  }
}

/** Words of the generator's state, and how far apart those are that make a new one. */
const WORDS = 624;
const MIDDLE = 397;

/**
 * MT19937 (Matsumoto and Nishimura, 1998) seeded by one word, with the draws that NumPy's legacy `RandomState` makes of
 * it: published traces were drawn so, and come out to the bit.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(WORDS);
  #at = WORDS;

  /** @param seed a word, as in `numpy.random.seed(seed)` */
  constructor(seed: number) {
    let word = seed >>> 0;
    for (let at = 0; at < WORDS; at++) {
      this.#state[at] = word;
      word = (Math.imul(1_812_433_253, word ^ (word >>> 30)) + at + 1) >>> 0;
    }
  }

  /** 32 random bits. */
  word(): number {
    if (this.#at === WORDS) this.#turn();
    let word = this.#state[this.#at++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** A number in [0, 1) of 53 random bits. */
  random(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** An exponential number of mean 1. */
  exponential(): number {
    return -Math.log(1 - this.random());
  }

  /** A whole number in [0, count), for up to 2^32: bits above the highest are cut off, and what is too great is drawn anew. */
  below(count: number): number {
    if (count === 1) return 0;
    const mask = 0xffffffff >>> Math.clz32(count - 1);
    for (;;) {
      const value = (this.word() & mask) >>> 0;
      if (value < count) return value;
    }
  }

  #turn(): void {
    const state = this.#state;
    for (let at = 0; at < WORDS; at++) {
      const next = state[(at + 1) % WORDS];
      const joined = (state[at] & 0x80000000) | (next & 0x7fffffff);
      state[at] = state[(at + MIDDLE) % WORDS] ^ (joined >>> 1) ^ (next & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }
}

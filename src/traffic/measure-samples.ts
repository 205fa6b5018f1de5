import { quantile, summarizeSorted } from '../statistics.js';
import { NumberList } from './number-list.js';

/** MeasureSamples of one measure, summed up. */
export interface MeasureSummary {
  readonly mean: number;
  readonly median: number;
  readonly std: number;
  /** Percentile, as asked for, to value. */
  readonly percentiles: readonly (readonly [percent: number, ms: number])[];
}

/** A bin holds the numbers whose exponent and first 15 bits of the mantissa are the same: 0.003 % of them wide. */
const BITS = 15;
const PER_OCTAVE = 2 ** BITS;
/** What is shorter shares the first bin, what is longer the last; of milliseconds a nanosecond and twelve days. */
const [LEAST, MOST] = [2 ** -20, 2 ** 30];
/** The upper half of a double is its exponent, counted from -1023, and 20 bits of its mantissa. */
const FIRST = (1023 + Math.log2(LEAST)) * PER_OCTAVE;
const edge = (bin: number): number => LEAST * 2 ** Math.floor(bin / PER_OCTAVE) * (1 + (bin % PER_OCTAVE) / PER_OCTAVE);

/**
 * Numbers that are not negative, to be summed up. Up to `most` are kept, and what they come to is exact. Beyond that they
 * are counted in bins, 6.6 MB however many they are: a percentile is then within 0.003 % of a sample beside it, mean and
 * deviation are off by rounding.
 */
export class MeasureSamples {
  readonly #most: number;
  #count = 0;
  #kept = new NumberList();
  #bins: Uint32Array | undefined;
  #mean = 0;
  /** Sum of the squared distances from the mean (Welford 1962). */
  #squares = 0;
  readonly #double = new Float64Array(1);
  readonly #words = new Uint32Array(this.#double.buffer);

  /** @param most to keep one by one */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether every one of them is kept. */
  get exact(): boolean {
    return this.#bins === undefined;
  }

  add(value: number): void {
    if (this.#bins === undefined && this.#kept.length < this.#most) return this.#kept.push(value);
    if (this.#bins === undefined) {
      this.#bins = new Uint32Array(this.#binOf(MOST) + 1);
      for (const each of this.#kept.values()) this.#note(each, this.#bins);
      this.#kept.clear();
    }
    this.#note(value, this.#bins);
  }

  /** @returns undefined where there is none */
  summary(percentiles: readonly number[]): MeasureSummary | undefined {
    const bins = this.#bins;
    if (bins === undefined) {
      if (this.#kept.length === 0) return undefined;
      const sorted = this.#kept.sorted();
      const { mean, median, std } = summarizeSorted(sorted);
      return {
        mean,
        median,
        std,
        percentiles: percentiles.map((percent) => [percent, quantile(sorted, percent / 100)]),
      };
    }
    const at = (share: number): number => this.#quantile(share, bins);
    return {
      mean: this.#mean,
      median: at(0.5),
      std: Math.sqrt(this.#squares / Math.max(1, this.#count - 1)),
      percentiles: percentiles.map((percent) => [percent, at(percent / 100)]),
    };
  }

  #note(value: number, bins: Uint32Array): void {
    bins[this.#binOf(value)]++;
    this.#count++;
    const from = value - this.#mean;
    this.#mean += from / this.#count;
    this.#squares += from * (value - this.#mean);
  }

  #binOf(value: number): number {
    this.#double[0] = Math.min(MOST, Math.max(LEAST, value));
    return (this.#words[1] >>> (20 - BITS)) - FIRST;
  }

  /** Those of a bin are taken to be spread evenly in it. */
  #quantile(share: number, bins: Uint32Array): number {
    let left = share * (this.#count - 1);
    let bin = 0;
    while (left >= bins[bin] && bin < bins.length - 1) left -= bins[bin++];
    const within = Math.min(1, (left + 0.5) / bins[bin]);
    return edge(bin) + within * (edge(bin + 1) - edge(bin));
  }
}

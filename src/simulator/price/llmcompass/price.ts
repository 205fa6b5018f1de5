import { RidgepointError } from '../../../errors.js';
import { isPrefill, type BatchSequence, type BatchShape, type Operation } from '../../../model/operations.js';
import type { Predictor } from '../../../roofline/predict/predictor.js';
import type { StepLoad, StepPrice } from '../price.js';
import { ARCHITECTURES, vectorRate, type Architecture } from './architectures.js';
import { ProductTimes } from './matmul.js';

const WORD = 2;
/** FLOPs of an exponential on a vector unit, and of an element of softmax, norm and GELU, as LLMCompass counts them. */
const EXP = 35;
const SOFTMAX = 3 * EXP + 7;
const NORM = 7;
const GELU = EXP + 9;

/** Seconds that PyTorch takes to launch each, which LLMCompass measured on an A100 and adds. */
export const LAUNCHES = { product: 2.1e-5, softmax: 1.2e-5, norm: 4.5e-5, activation: 4.5e-5 } as const;
export const NO_LAUNCHES = { product: 0, softmax: 0, norm: 0, activation: 0 } as const;
export type Launches = Readonly<Record<keyof typeof LAUNCHES, number>>;

/**
 * The price of a step in LLMCompass's manner: every operator for itself, its activations read from memory and written
 * back; attention as two batched products with a softmax between them that goes through memory; products by tiles and
 * systolic arrays. Messages between chips are those of `predict`.
 */
export class CompassPrice implements StepPrice {
  readonly #products: ProductTimes;
  readonly #vector: number;
  readonly #bandwidth: number;

  readonly #predictor: Predictor;
  readonly #launches: Launches;

  /**
   * @param chip defaults to what is known of the predictor's hardware
   * @throws RidgepointError when nothing is
   */
  constructor(predictor: Predictor, launches: Launches = LAUNCHES, chip = architectureOf(predictor.hardware.id)) {
    this.#predictor = predictor;
    this.#launches = launches;
    this.#bandwidth = predictor.hardware.bandwidth;
    this.#products = new ProductTimes(chip, this.#bandwidth);
    this.#vector = vectorRate(chip);
  }

  seconds({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad): number {
    const sequences: BatchSequence[] = prompts.map(({ begin, end }) => ({
      newTokens: end - begin,
      context: begin,
      prefill: true,
    }));
    // Rows at the mean of their contexts.
    const context = decodeRows > 0 ? Math.max(0, Math.round(decodeKeys / decodeRows) - 1) : 0;
    for (let row = 0; row < decodeRows; row++) sequences.push({ newTokens: 1, context });
    return this.stepSeconds({ sequences, logitRows });
  }

  stepSeconds(batch: BatchShape): number {
    const { model } = this.#predictor;
    const layers = this.#predictor
      .parts(batch)
      .reduce((sum, { operation, count }) => sum + count * this.#operation(operation), 0);
    return layers + model.layers * this.#attention(batch) + this.#predictor.linkSeconds(batch);
  }

  /** Of matrix products that weights are in, for what is said of them alone. */
  productSeconds(batch: BatchShape): number {
    return this.#predictor
      .parts(batch)
      .filter(({ operation }) => operation.kind === 'matmul')
      .reduce((sum, { operation, count }) => sum + count * this.#product(operation), 0);
  }

  #product({ m, n, k }: Operation): number {
    return m === 0 ? 0 : this.#products.seconds({ m, n, k }) + this.#launches.product;
  }

  #operation(operation: Operation): number {
    const { kind, m, n, k, part } = operation;
    if (m === 0) return 0;
    switch (kind) {
      case 'matmul': {
        // What follows the product that widens is an operator of its own.
        const activation = /up/.test(part) ? this.#elementwise(m * n, GELU) + this.#launches.activation : 0;
        return this.#product(operation) + activation;
      }
      case 'attention':
        return 0; // by the batch, below
      case 'norm':
        return this.#elementwise(m * k, NORM) + this.#launches.norm;
      default:
        return (operation.activationBytes + operation.kvWriteBytes) / this.#bandwidth;
    }
  }

  /** Read, computed, written, one after the other. */
  #elementwise(numbers: number, flops: number): number {
    return (2 * WORD * numbers) / this.#bandwidth + (numbers * flops) / this.#vector;
  }

  /** One layer's: scores, softmax, values. Rows that decode at their mean context, prompts one by one. */
  #attention({ sequences }: BatchShape): number {
    const { model, shards } = this.#predictor;
    const heads = model.heads / shards;
    const dimension = model.hidden / model.heads;
    const groups = new Map<string, { queries: number; keys: number; count: number }>();
    for (const sequence of sequences) {
      const queries = isPrefill(sequence) ? sequence.newTokens : 1;
      const keys = sequence.context + sequence.newTokens;
      const key = `${queries},${keys}`;
      const group = groups.get(key) ?? { queries, keys, count: 0 };
      group.count++;
      groups.set(key, group);
    }
    let seconds = 0;
    for (const { queries, keys, count } of groups.values()) {
      const many = count * heads;
      seconds += this.#products.batchSeconds({ m: queries, k: dimension, n: keys }, many);
      seconds += this.#elementwise(many * queries * keys, SOFTMAX);
      seconds += this.#products.batchSeconds({ m: queries, k: keys, n: dimension }, many);
      seconds += 2 * this.#launches.product + this.#launches.softmax;
    }
    return seconds;
  }
}

/** @throws RidgepointError naming the chips that are known */
export function architectureOf(id: string): Architecture {
  const known: Readonly<Record<string, Architecture>> = ARCHITECTURES;
  if (id in known) return known[id];
  throw new RidgepointError(
    'usage',
    `price llmcompass: the cores of ${id} are not known; it prices ${Object.keys(known).join(', ')}`,
  );
}

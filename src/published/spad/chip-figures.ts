import { hardwareById } from '../../roofline/hardware/catalogue.js';
import { scaled } from '../../roofline/hardware/hardware.js';
import { memoryOf } from '../../roofline/hardware/memory.js';
import { BLOOM_176B } from '../../roofline/models/bloom.js';
import { decodeStep } from '../../roofline/predict/decode-line.js';
import { Predictor } from '../../roofline/predict/predictor.js';
import { LAUNCHES, CompassPrice, architectureOf } from '../../simulator/price/llmcompass/price.js';
import type { Launches } from '../../simulator/price/llmcompass/price.js';

/** A chip of the paper, or an H100 with other resources. Eight of them run BLOOM-176B in f16. */
export interface Chip {
  readonly id: 'h100-sxm' | 'spad-prefill' | 'spad-decode';
  /** Of the cores, and of the bandwidth; default 1. */
  readonly compute?: number;
  readonly bandwidth?: number;
}

/** Says how long chips take. Seconds. */
export interface ChipClock {
  prefill(chip: Chip, tokens: number, batch: number): number;
  /** One step. */
  decode(chip: Chip, context: number, batch: number): number;
  /** A prefill's products with weights alone. */
  products(chip: Chip, tokens: number, batch: number): number;
}

const predictorOn = ({ id, compute, bandwidth }: Chip): Predictor =>
  new Predictor(BLOOM_176B, scaled(hardwareById(id), { compute, bandwidth }), { tensorParallel: 8 });

/** One value a chip. */
function perChip<T>(make: (chip: Chip) => T): (chip: Chip) => T {
  const known = new Map<string, T>();
  return (chip) => {
    const key = JSON.stringify([chip.id, chip.compute, chip.bandwidth]);
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = make(chip)));
    return value;
  };
}

/** By `predict`. */
export function predictedClock(): ChipClock {
  const on = perChip(predictorOn);
  return {
    prefill: (chip, tokens, batch) => on(chip).prefillSeconds(tokens, batch),
    decode: (chip, context, batch) => on(chip).decodeStepSeconds(context, batch),
    products(chip, tokens, batch) {
      const [step] = on(chip).prefillSteps(tokens, batch);
      return on(chip)
        .parts(step)
        .filter(({ operation }) => operation.kind === 'matmul')
        .reduce((sum, { count, seconds }) => sum + count * seconds, 0);
    },
  };
}

/** By the operator model; fewer cores are fewer, not slower. */
export function compassClock(launches: Launches = LAUNCHES): ChipClock {
  const on = perChip((chip) => {
    const architecture = architectureOf(chip.id);
    const cores = Math.round(architecture.cores * (chip.compute ?? 1));
    const predictor = predictorOn(chip);
    return { predictor, price: new CompassPrice(predictor, launches, { ...architecture, cores }) };
  });
  return {
    prefill(chip, tokens, batch) {
      const { predictor, price } = on(chip);
      return price.stepSeconds(predictor.prefillSteps(tokens, batch)[0]);
    },
    decode: (chip, context, batch) => on(chip).price.stepSeconds(decodeStep(context, batch)),
    products(chip, tokens, batch) {
      const { predictor, price } = on(chip);
      return price.productSeconds(predictor.prefillSteps(tokens, batch)[0]);
    },
  };
}

const H100: Chip = { id: 'h100-sxm' };
const H100_BANDWIDTH = hardwareById('h100-sxm').bandwidth;
const TOKENS = 1024;
const [PREFILL_BATCH, DECODE_BATCH] = [2, 64];
const [BATCHES, LENGTHS] = [
  [1, 2, 4, 8, 16, 32, 64, 128, 256],
  [128, 256, 512, 1024, 2048, 4096, 8192],
];

/** Percent by which a latency rises. */
const rise = (slow: number, fast: number): number => 100 * (slow / fast - 1);

/** The paper's figures of chips, by one clock. Percent, or speed over an H100's. */
export class ChipFigures {
  readonly #clock: ChipClock;

  constructor(clock: ChipClock) {
    this.#clock = clock;
  }

  /** Figure 2. */
  prefillRise(gigabytes: number): number {
    const slow = { ...H100, bandwidth: (gigabytes * 1e9) / H100_BANDWIDTH };
    return rise(this.#clock.prefill(slow, TOKENS, PREFILL_BATCH), this.#clock.prefill(H100, TOKENS, PREFILL_BATCH));
  }

  productRise(): number {
    const [slow, fast] = [2e12, 4e12].map((rate) =>
      this.#clock.products({ ...H100, bandwidth: rate / H100_BANDWIDTH }, TOKENS, PREFILL_BATCH),
    );
    return rise(slow, fast);
  }

  /** Figure 3. */
  decodeRise(cores: number): number {
    const slow = { ...H100, compute: cores / 132 };
    return rise(this.#clock.decode(slow, TOKENS, DECODE_BATCH), this.#clock.decode(H100, TOKENS, DECODE_BATCH));
  }

  /** Table 3: mean speed over an H100's, of the combinations that fit both. */
  performance(id: Chip['id'], phase: 'prefill' | 'decode'): number {
    const ratios: number[] = [];
    const [chip, reference] = [predictorOn({ id }), predictorOn(H100)];
    for (const batch of BATCHES) {
      for (const tokens of LENGTHS) {
        if (![chip, reference].every((each) => memoryOf(each, tokens, batch).fits)) continue;
        ratios.push(this.#clock[phase]({ id }, tokens, batch) / this.#clock[phase](H100, tokens, batch));
      }
    }
    return ratios.length / ratios.reduce((sum, ratio) => sum + ratio, 0);
  }

  /** The most tokens with which the Prefill Chip is slower than an H100, going up from few; 0 where it never is. */
  slowerUpTo(): number {
    const tokens = [16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048];
    const first = tokens.findIndex((count) => !this.#slower('spad-prefill', 'prefill', count, 1, 1));
    return first > 0 ? tokens[first - 1] : 0;
  }

  /** The fewest tokens from which on it is slower again; undefined up to 32,768. */
  slowerFrom(): number | undefined {
    const tokens = [4096, 8192, 12_288, 16_384, 24_576, 32_768];
    return tokens.find((count) => this.#slower('spad-prefill', 'prefill', count, 1, 1));
  }

  /** The smallest batch at which the Decode Chip is slower by a twentieth. */
  slowerFromBatch(): number | undefined {
    const batches = [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384, 512, 768, 1024];
    return batches.find((batch) => this.#slower('spad-decode', 'decode', 128, batch, 1.05));
  }

  #slower(id: Chip['id'], phase: 'prefill' | 'decode', tokens: number, batch: number, by: number): boolean {
    return this.#clock[phase]({ id }, tokens, batch) > by * this.#clock[phase](H100, tokens, batch);
  }
}

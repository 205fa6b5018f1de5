import { seenBy, type Seen } from '../../model/cost.js';
import { isPrefill, type BatchSequence, type BatchShape, type Operation } from '../../model/operations.js';
import type { StepPart } from './predictor.js';

/** The sizes of a step that its costs depend on, counted in one pass. */
interface StepCounts {
  readonly tokens: number;
  /** Tokens of prompts among them. */
  readonly prompts: number;
  /** Keys read, and pairs of a query and a key it may see. */
  readonly keys: number;
  readonly pairs: number;
  /** Every sequence has one new token, as in decoding; then there are as many pairs as keys. */
  readonly single: boolean;
}

function countsOf(sequences: readonly BatchSequence[]): StepCounts {
  let [tokens, prompts, keys, pairs] = [0, 0, 0, 0];
  let single = true;
  for (const sequence of sequences) {
    const { newTokens, context } = sequence;
    tokens += newTokens;
    if (isPrefill(sequence)) prompts += newTokens;
    keys += context + newTokens;
    pairs += newTokens * context + (newTokens * (newTokens + 1)) / 2;
    if (newTokens !== 1) single = false;
  }
  return { tokens, prompts, keys, pairs, single };
}

/** An operation whose cost grows with keys or pairs, and by how much with each of them. */
interface Growing {
  readonly count: number;
  readonly base: Operation;
  /** The operation at the sizes that were asked for last: one object for all, since there are millions. */
  readonly now: { -readonly [Key in keyof Operation]: Operation[Key] };
  readonly keys: Slopes;
  readonly pairs: Slopes;
}
/** An operation whose cost grows with the keys that a window lets tokens see. */
interface Windowed {
  readonly count: number;
  readonly base: Operation;
  readonly window: number;
  readonly seen: Seen;
}
type Slopes = Pick<Operation, 'flops' | 'activationBytes' | 'kvReadBytes'>;

/** Prices steps; what it is given sums a step's operations. */
export interface StepSource {
  parts(batch: BatchShape): StepPart[];
  linkSeconds(batch: BatchShape): number;
  readonly pricer: { seconds(operation: Operation): number };
}

/** Large, so that slopes lose no digits; a power of two, so that dividing by it loses none either. */
const FAR = 2 ** 20;

const slopes = (near: Operation, far: Operation, distance: number, less?: Slopes): Slopes => {
  const slope = (key: keyof Slopes) => (far[key] - near[key] - (less?.[key] ?? 0) * FAR) / distance;
  return { flops: slope('flops'), activationBytes: slope('activationBytes'), kvReadBytes: slope('kvReadBytes') };
};
const flat = ({ flops, activationBytes, kvReadBytes }: Slopes) =>
  flops === 0 && activationBytes === 0 && kvReadBytes === 0;
const NONE: Slopes = { flops: 0, activationBytes: 0, kvReadBytes: 0 };

/** Steps with as many tokens, prompt tokens and rows of logits: their costs are linear in keys and pairs. */
class StepLine {
  /** Of the operations that depend on neither. */
  #fixedSeconds: number;
  readonly #growing: Growing[] = [];
  readonly #windowed: Windowed[] = [];
  readonly #keys: number;
  readonly #pairs: number;
  readonly #source: StepSource;

  constructor(source: StepSource, { tokens, prompts, single }: StepCounts, logitRows: number) {
    this.#source = source;
    const rows = tokens - prompts;
    const part = (newTokens: number, context: number, prefill: boolean): BatchSequence => ({
      newTokens,
      context,
      prefill,
    });
    // One sequence of all prompts' tokens and one of all others, and one without any, whose keys count alone.
    const sequences = (near: number, extra: number): BatchSequence[] => {
      if (single) return Array.from({ length: tokens }, (_, at) => part(1, at === 0 ? near : 0, at < prompts));
      const whole = [part(prompts, near, true), part(rows, prompts > 0 ? 0 : near, false)];
      return [...whole.filter(({ newTokens }) => newTokens > 0), part(0, extra, prompts > 0)];
    };
    const shape = (near: number, extra: number): BatchShape => ({ sequences: sequences(near, extra), logitRows });
    const base = shape(0, 0);
    const near = source.parts(base);
    const nearer = source.parts(shape(FAR, 0));
    const wider = single ? near : source.parts(shape(0, FAR));
    ({ keys: this.#keys, pairs: this.#pairs } = countsOf(base.sequences));
    const length = single ? 1 : prompts > 0 ? prompts : rows;
    this.#fixedSeconds = source.linkSeconds(base);
    near.forEach(({ operation, count, seconds }, at) => {
      const { window } = operation;
      if (window !== undefined) {
        this.#windowed.push({ count, base: operation, window, seen: seenBy(base.sequences, window) });
        return;
      }
      const keys = single ? NONE : slopes(operation, wider[at].operation, FAR);
      const pairs = slopes(operation, nearer[at].operation, FAR * length, keys);
      if (flat(keys) && flat(pairs)) this.#fixedSeconds += count * seconds;
      else this.#growing.push({ count, base: operation, now: { ...operation }, keys, pairs });
    });
  }

  seconds({ keys, pairs }: StepCounts, sequences: readonly BatchSequence[]): number {
    const [moreKeys, morePairs] = [keys - this.#keys, pairs - this.#pairs];
    let sum = this.#fixedSeconds;
    for (const { count, base, now, keys: k, pairs: p } of this.#growing) {
      now.flops = base.flops + k.flops * moreKeys + p.flops * morePairs;
      now.activationBytes = base.activationBytes + k.activationBytes * moreKeys + p.activationBytes * morePairs;
      now.kvReadBytes = base.kvReadBytes + k.kvReadBytes * moreKeys + p.kvReadBytes * morePairs;
      sum += count * this.#source.pricer.seconds(now);
    }
    for (const { count, base, window, seen } of this.#windowed) {
      const now = seenBy(sequences, window);
      const flops = (base.flops * now.pairs) / seen.pairs;
      const kvReadBytes = (base.kvReadBytes * now.keys) / seen.keys;
      sum += count * this.#source.pricer.seconds({ ...base, flops, kvReadBytes });
    }
    return sum;
  }
}

/** Lines kept; beyond them all are forgotten. */
const MOST = 50_000;

/**
 * Seconds of steps on the device, in a microsecond or two once a step of as many tokens was priced: what was added up for
 * it is kept as a line over keys and pairs.
 */
export class StepLines {
  readonly #lines = new Map<string, StepLine>();
  readonly #source: StepSource;

  constructor(source: StepSource) {
    this.#source = source;
  }

  seconds({ sequences, logitRows }: BatchShape): number {
    const counts = countsOf(sequences);
    const { tokens, prompts, single } = counts;
    const key = `${tokens},${prompts},${logitRows},${single}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      if (this.#lines.size >= MOST) this.#lines.clear();
      this.#lines.set(key, (line = new StepLine(this.#source, counts, logitRows)));
    }
    return line.seconds(counts, sequences);
  }
}

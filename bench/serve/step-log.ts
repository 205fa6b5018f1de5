import { isPrefill, type BatchShape } from '../../src/model/operations.js';

/**
 * Steps of an engine that serves, one place a step in each list, of which every `every`-th is kept: milliseconds, rows
 * that decode, keys that those read (each its own included), rows whose logits were wanted, and the prompt tokens
 * [begin, end) of each sequence, one pair after the other.
 */
export interface RecordedSteps {
  readonly seen: number;
  readonly every: number;
  readonly ms: readonly number[];
  readonly rows: readonly number[];
  readonly keys: readonly number[];
  readonly logit_rows: readonly number[];
  readonly prompts: readonly (readonly number[])[];
}

interface Step {
  readonly ms: number;
  readonly rows: number;
  readonly keys: number;
  readonly logitRows: number;
  readonly prompts: readonly number[];
}

/** Steps kept at most. */
const MOST = 256;

/** Keeps every k-th step, with a k that doubles whenever there are too many: an even sample of bounded size. */
export class StepLog {
  #steps: Step[] = [];
  #seen = 0;
  #every = 1;
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  readonly observe = (batch: BatchShape, ms: number): void => {
    if (this.#seen++ % this.#every !== 0) return;
    this.#steps.push(stepOf(batch, ms));
    if (this.#steps.length <= this.#most) return;
    this.#steps = this.#steps.filter((_, at) => at % 2 === 0);
    this.#every *= 2;
  };

  /** Forgets what has been seen, such as warming up. */
  clear(): void {
    this.#steps = [];
    this.#seen = 0;
    this.#every = 1;
  }

  record(): RecordedSteps {
    const steps = this.#steps;
    return {
      seen: this.#seen,
      every: this.#every,
      ms: steps.map(({ ms }) => Math.round(1000 * ms) / 1000),
      rows: steps.map(({ rows }) => rows),
      keys: steps.map(({ keys }) => keys),
      logit_rows: steps.map(({ logitRows }) => logitRows),
      prompts: steps.map(({ prompts }) => prompts),
    };
  }
}

function stepOf({ sequences, logitRows }: BatchShape, ms: number): Step {
  let [rows, keys] = [0, 0];
  const prompts: number[] = [];
  for (const sequence of sequences) {
    const { newTokens, context } = sequence;
    if (isPrefill(sequence)) prompts.push(context, context + newTokens);
    else {
      rows += newTokens;
      keys += context + newTokens;
    }
  }
  return { ms, rows, keys, logitRows, prompts };
}

/** A recorded step as one that can be priced; rows that decode count at the mean of their contexts. */
export function shapeOfStep(steps: RecordedSteps, at: number): BatchShape {
  const rows = steps.rows[at];
  const context = rows > 0 ? steps.keys[at] / rows - 1 : 0;
  const sequences: BatchShape['sequences'][number][] = Array.from({ length: rows }, () => ({ newTokens: 1, context }));
  const parts = steps.prompts[at];
  for (let part = 0; part < parts.length; part += 2) {
    sequences.push({ newTokens: parts[part + 1] - parts[part], context: parts[part], prefill: true });
  }
  return { sequences, logitRows: steps.logit_rows[at] };
}

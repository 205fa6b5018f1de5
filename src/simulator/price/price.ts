import type { StepPlan } from '../../engine/step-plan.js';

/** Prompt tokens [begin, end) of one sequence. */
export interface PromptPart {
  readonly begin: number;
  readonly end: number;
}

/** What a step's time depends on. */
export interface StepLoad {
  /** Rows of generated tokens. */
  readonly decodeRows: number;
  /** Tokens that their attention reads, each row's own included, summed over rows. */
  readonly decodeKeys: number;
  readonly prompts: readonly PromptPart[];
  /** Rows whose logits are wanted. */
  readonly logitRows: number;
}

/** How long steps take on one machine. */
export interface StepPrice {
  /** Seconds. */
  seconds(load: StepLoad): number;
  /** What of the steps priced so far lay outside of what was measured, for prices that come from a table. */
  readonly outside?: { readonly steps: number; readonly of: number };
}

export function loadOf({ decode, prefill }: StepPlan): StepLoad {
  let [decodeRows, decodeKeys, logitRows] = [0, 0, 0];
  for (const { begin, end, samples } of decode) {
    const rows = end - begin;
    decodeRows += rows;
    decodeKeys += (rows * (begin + 1 + end)) / 2;
    logitRows += samples;
  }
  for (const { samples } of prefill) if (samples) logitRows++;
  return { decodeRows, decodeKeys, logitRows, prompts: prefill };
}

/** The price with so many seconds of the host in each step. */
export function plusHost(price: StepPrice, seconds: number): StepPrice {
  if (seconds === 0) return price;
  return {
    seconds: (load) => price.seconds(load) + seconds,
    get outside() {
      return price.outside;
    },
  };
}

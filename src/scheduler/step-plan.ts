import type { ScheduledSequence } from './sequence.js';

/** Prompt tokens [begin, end) of one sequence. */
export interface PrefillChunk {
  readonly sequence: ScheduledSequence;
  readonly begin: number;
  readonly end: number;
  /** Whether its first token is sampled, at the last of these. */
  readonly samples: boolean;
}

/** Rows of generated tokens, at positions [begin, end) of one sequence. */
export interface DecodeRows {
  readonly sequence: ScheduledSequence;
  readonly begin: number;
  readonly end: number;
  /**
   * `slot`: one row, its token is what the sampler left in the slot. `host`: the tokens are known on the host, those
   * past the newest one are guesses.
   */
  readonly source: 'slot' | 'host';
  /** How many of the last rows have a token sampled; all but the first of those stand on guesses. */
  readonly samples: number;
  /** Index, among the generated tokens, of the first one sampled here. */
  readonly draw: number;
}

/** One forward pass: rows of generated tokens, then chunks of prompts. */
export interface StepPlan {
  /** Sequences that got a slot for this step. */
  readonly admitted: readonly ScheduledSequence[];
  readonly decode: readonly DecodeRows[];
  readonly prefill: readonly PrefillChunk[];
}

/**
 * Steps submitted before the oldest one's tokens are awaited: one runs while the next is recorded. On a GPU, whose steps
 * are short, another waits behind it, so that a host that is late by a step keeps nothing waiting. What is recorded for
 * a sequence that turns out to have ended is computed for nothing, which on a CPU driver is worth more than the wait.
 */
export const STEPS_UNDER_WAY = { cpu: 2, gpu: 3 };

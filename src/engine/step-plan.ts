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

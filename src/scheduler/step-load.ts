import type { BatchShape } from '../model/operations.js';
import type { ScheduledSequence } from './sequence.js';
import type { StepPlan } from './step-plan.js';

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

/** The load of a step that is given row by row. */
export function loadOfShape({ sequences, logitRows }: BatchShape): StepLoad {
  let [decodeRows, decodeKeys] = [0, 0];
  const prompts: PromptPart[] = [];
  for (const { newTokens, context, prefill } of sequences) {
    if (prefill === true) {
      prompts.push({ begin: context, end: context + newTokens });
      continue;
    }
    decodeRows += newTokens;
    decodeKeys += newTokens * (context + (1 + newTokens) / 2);
  }
  return { decodeRows, decodeKeys, prompts, logitRows };
}

/** Sequences that get a token of a step. */
export function sampledBy({ decode, prefill }: StepPlan): ScheduledSequence[] {
  const sampled: ScheduledSequence[] = [];
  for (const { sequence, samples } of decode) if (samples > 0) sampled.push(sequence);
  for (const { sequence, samples } of prefill) if (samples) sampled.push(sequence);
  return sampled;
}

/** What a step computes, every row by itself. */
export function shapeOf({ decode, prefill }: StepPlan): BatchShape {
  const rows = decode.flatMap(({ begin, end }) =>
    Array.from({ length: end - begin }, (_, i) => ({ newTokens: 1, context: begin + i })),
  );
  const chunks = prefill.map(({ begin, end }) => ({ newTokens: end - begin, context: begin, prefill: true }));
  const logitRows = decode.reduce((sum, { samples }) => sum + samples, prefill.filter(({ samples }) => samples).length);
  return { sequences: [...rows, ...chunks], logitRows };
}

import type { BatchShape } from '../../model/operations.js';

/** Predicted milliseconds of a step: a pure function, given by whoever drives the scheduler. */
export type StepCost = (batch: BatchShape) => number;

/** A step in the making. A policy says what goes into it; which sequences, and where, is the scheduler's matter. */
export interface StepDraft {
  /** Most prompt tokens in a step. */
  readonly chunk: number;
  /** Sequences that have a slot. */
  readonly running: number;
  /** Those of them that generate, be it that their next row must wait for the host. */
  readonly decoding: number;
  /** Gives waiting requests slots and memory, as many as there is room for. */
  admit(): void;
  /**
   * Adds the next row of every sequence whose prompt is done. Where memory runs out, the last in the order of service
   * has to wait.
   *
   * @returns rows added
   */
  decode(): number;
  /**
   * Adds prompt tokens in the order of service, of running sequences first, then of waiting ones that it admits.
   *
   * @param tokens most tokens to add
   * @param options.whole only prompts that fit as a whole
   * @param options.admit false leaves waiting requests where they are
   * @returns tokens added
   */
  prefill(tokens: number, options?: { readonly whole?: boolean; readonly admit?: boolean }): number;
  /** What the step would be with this many more prompt tokens. */
  shapeWith(promptTokens: number): BatchShape;
}

export interface PolicyOptions {
  /** Longest a step with decoding sequences should take, in milliseconds. */
  readonly decodeSloMs: number;
  readonly cost: StepCost;
}

/** Decides how prompts and decoding share the steps. */
export type Policy = (draft: StepDraft, options: PolicyOptions) => void;

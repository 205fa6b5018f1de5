import type { TextEngine } from '../../src/engine/api.js';
import type { StepProbe } from '../../src/engine/probe.js';
import type { PromptSource } from '../prompts.js';

/** What is measured: an engine and single steps of it. */
export type BenchTarget = Pick<TextEngine, 'generate' | 'info' | 'config'> &
  PromptSource & { probe(): Pick<StepProbe, 'prefill' | 'decode'> };

/** A point that is measured run by run, with runs of other points in between. */
export interface Trial<Sample, Result> {
  /**
   * @param index different for each run
   * @param onReady awaited when all is made, right before what is measured
   * @returns what was measured, in terms of JSON
   * @throws AbortError
   */
  run(index: number, signal?: AbortSignal, onReady?: () => Promise<void>): Promise<Sample>;
  /** Milliseconds from the moment it was ready to what the record is compared by; 0 when absent. */
  leadMs?(this: void, run: Sample): number;
  /** The record of its runs; `counted` has at least one. */
  record(warmup: readonly Sample[], counted: readonly Sample[]): Result;
}

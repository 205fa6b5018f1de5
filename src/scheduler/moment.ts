import type { Scheduler } from './scheduler.js';
import type { ScheduledSequence } from './sequence.js';
import type { StepLoad } from './step-load.js';
import type { StepPlan } from './step-plan.js';

/** Where a driven scheduler stands: its books, and the steps that are counted there and have not ended yet. */
export interface Moment {
  readonly scheduler: Scheduler;
  /** Steps under way, the oldest first: what they cost, and who gets a token of them. */
  readonly underWay: readonly { readonly load: StepLoad; readonly sampled: readonly ScheduledSequence[] }[];
  /** Milliseconds that the oldest has run. */
  readonly elapsedMs: number;
  /** Steps planned ahead, the running one included. */
  readonly depth: number;
}

/** Told of what happens to a driven scheduler. Times are milliseconds of one clock. */
export interface ScheduleWatcher {
  /** A sequence has been queued. */
  added?(sequence: ScheduledSequence, at: number): void;
  /** A step has run; its tokens are not delivered yet. */
  step?(plan: StepPlan, begin: number, end: number): void;
  /** A sequence has come to its end, whatever that was. */
  ended?(sequence: ScheduledSequence, at: number): void;
}

import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { PrefillChunk } from '../scheduler/step-plan.js';
import type { ScheduledEvent } from './event-queue.js';
import type { StepLoad, StepPrice } from './price/price.js';

/** A step that is planned: it runs, or waits for the one before it. */
export interface PlannedStep {
  readonly sampled: readonly ScheduledSequence[];
  readonly prefill: readonly PrefillChunk[];
  readonly load: StepLoad;
  readonly seconds: number;
}

/** Steps of pure decoding taken in one go: the scheduler has not moved for them yet. */
export interface Stretch {
  /** How many steps it has. */
  readonly most: number;
  /** The steps planned when it began, then those that follow, as far as they are priced. */
  readonly steps: PlannedStep[];
  /** When each ends, of those that are priced. */
  readonly ends: number[];
  /** The end of the last that is priced. */
  event: ScheduledEvent;
}

/**
 * Prices the first `count` steps of a stretch, and those that are planned while the last of them runs. What is priced
 * already stays.
 *
 * @param depth steps planned ahead, the running one included
 */
export function priceStretch(
  { most, steps, ends }: Pick<Stretch, 'most' | 'steps' | 'ends'>,
  count: number,
  { depth, price }: { readonly depth: number; readonly price: StepPrice },
): void {
  const wanted = Math.min(count, most);
  while (steps.length < wanted + depth) steps.push(after(steps.at(-1)!, price));
  for (let at = ends.length; at < wanted; at++) ends.push(ends[at - 1] + steps[at].seconds);
}

/** The step of pure decoding that follows one. */
function after({ sampled, prefill, load }: PlannedStep, price: StepPrice): PlannedStep {
  const { decodeRows, decodeKeys, prompts, logitRows } = load;
  const next = { decodeRows, decodeKeys: decodeKeys + decodeRows, prompts, logitRows };
  return { sampled, prefill, load: next, seconds: price.seconds(next) };
}

/** Whether a step has one row for each of so many sequences, all of them still there. */
export function onlyDecodes({ sampled, prefill, load }: PlannedStep, rows: number): boolean {
  if (prefill.length > 0 || load.decodeRows !== rows || sampled.length !== rows) return false;
  return sampled.every(({ finished, held, slot }) => !finished && !held && slot >= 0);
}

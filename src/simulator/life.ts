import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { Flow } from './links.js';
import type { SimulatedStep } from './outcome.js';
import type { Place } from './place.js';
import type { StepLoad } from './price/price.js';
import type { RequestTrace } from './request.js';

/** A request on its way. */
export interface Life {
  readonly trace: RequestTrace;
  prefill: { readonly place: Place; readonly sequence: ScheduledSequence } | undefined;
  decode: { readonly place: Place; readonly sequence: ScheduledSequence; pending: number } | undefined;
  /** Its decoding happens elsewhere than its prompt. */
  readonly apart: boolean;
  flow: Flow | undefined;
  promptDone: boolean;
}

/** A step as it is kept for a drawing. */
export function stepOf(
  { at }: Place,
  { decodeRows, prompts }: StepLoad,
  begin: number,
  seconds: number,
): SimulatedStep {
  const promptTokens = prompts.reduce((sum, part) => sum + part.end - part.begin, 0);
  return { machine: at, begin, end: begin + seconds, decodeRows, promptTokens };
}

import { choice, free, marker, sequence, white, type Grammar } from '../grammar/grammar.js';
import type { ReasoningMarkers } from './reading/reasoning.js';

const MARKERS: readonly ReasoningMarkers[] = [
  { open: '<think>', close: '</think>' },
  { open: '[THINK]', close: '[/THINK]' },
];

/** The markers around what a model thinks, where its template knows of some. */
export function reasoningOf(template: string | undefined): ReasoningMarkers | undefined {
  return MARKERS.find(({ open, close }) => template?.includes(open) === true || template?.includes(close) === true);
}

/** Whether a prompt ends inside of what the model thinks, opened by the template. */
export function isThinking(prompt: string, { open, close }: ReasoningMarkers): boolean {
  const opened = prompt.lastIndexOf(open);
  return opened >= 0 && prompt.lastIndexOf(close) < opened && prompt.slice(opened + open.length).trim() === '';
}

/** A form that a reply has once the model has thought, if it does. @param begun whether the prompt ends inside of it */
export function afterReasoning(form: Grammar, { open, close }: ReasoningMarkers, begun: boolean): Grammar {
  const rest = sequence(free(close), marker(close), white(4), form);
  return begun ? rest : choice(form, sequence(white(2), marker(open), rest));
}

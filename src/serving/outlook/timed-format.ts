import type { AnswerFormat, Events } from '../answer.js';
import type { Visit } from './visit.js';

interface WithIds {
  readonly id?: unknown;
  /** In other APIs' words, the answer stands inside of its first event. */
  readonly response?: { readonly id?: unknown };
  readonly message?: { readonly id?: unknown };
  readonly choices?: readonly { readonly index?: number }[];
}

/**
 * An answer's format with `timings` in each choice's last event, and in the choices of a whole answer; where an API has
 * no choices, in the last event and beside the answer.
 *
 * @param told of the answer's own id
 */
export function timedFormat(
  format: AnswerFormat,
  visit: Visit,
  show: boolean,
  told: (id: string) => void,
): AnswerFormat {
  const heard = (event: object): object => {
    const { id, response, message } = event as WithIds;
    for (const one of [id, response?.id, message?.id]) if (typeof one === 'string') told(one);
    return event;
  };
  const timed = (event: object): object => {
    const { choices } = heard(event) as WithIds;
    if (!show) return event;
    if (choices === undefined) return format.named ? { ...event, timings: visit.timings(0) ?? null } : event;
    const own = choices.map((choice) => ({ ...choice, timings: visit.timings(choice.index ?? 0) ?? null }));
    return { ...event, choices: own };
  };
  return {
    named: format.named,
    opening: (index) => each(format.opening(index), heard),
    chunk: (index, chunk) => format.chunk(index, chunk),
    closing: (index, finish, result) => {
      const events = format.closing(index, finish, result);
      return format.named ? events : each(events, timed);
    },
    usage: (usage) => (format.named ? each(format.usage(usage), timed) : format.usage(usage)),
    whole: (choices, usage) => timed(format.whole(choices, usage)),
    failure: (error) => format.failure?.(error) ?? error.body(),
  };
}

function each<T extends Events | undefined>(events: T, of: (event: object) => object): T {
  if (events === undefined) return events;
  return (Array.isArray(events) ? (events as object[]).map(of) : of(events)) as T;
}

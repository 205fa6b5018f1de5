/** What a piece of a reply turns out to be. */
export type ReplyEvent =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  /** A call begins. */
  | { readonly kind: 'call'; readonly name: string }
  /** More of the arguments of the call that began last; all together they are JSON. */
  | { readonly kind: 'arguments'; readonly text: string };

/**
 * Takes a reply apart while it comes. However the text is cut into pieces, the same calls come out, with the same
 * arguments, and the same text between them.
 */
export interface ReplyReader {
  push(text: string): ReplyEvent[];
  /** What was held back, once nothing follows. */
  end(): ReplyEvent[];
}

/** Characters at the end of a text that may be the beginning of a marker. */
export function heldBack(text: string, marker: string): number {
  const first = marker.charAt(0);
  const from = Math.max(0, text.length - marker.length + 1);
  for (let at = text.indexOf(first, from); at >= 0; at = text.indexOf(first, at + 1)) {
    if (marker.startsWith(text.slice(at))) return text.length - at;
  }
  return 0;
}

/** Puts pieces of one kind together, and leaves out empty ones. */
export function joined(events: ReplyEvent[]): ReplyEvent[] {
  if (events.length === 0) return events;
  if (events.length === 1 && (events[0].kind === 'call' || events[0].text !== '')) return events;
  const result: ReplyEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (event.kind === 'call') result.push(event);
    else if (event.text === '') continue;
    else if (last?.kind === event.kind) result[result.length - 1] = { kind: event.kind, text: last.text + event.text };
    else result.push(event);
  }
  return result;
}

export const WHITE = /^[ \t\r\n]*/;

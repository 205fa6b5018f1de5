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
export function heldBack(text: string, markers: readonly string[]): number {
  const longest = Math.max(0, ...markers.map(({ length }) => length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    if (markers.some((marker) => marker.startsWith(end))) return length;
  }
  return 0;
}

/** Puts pieces of one kind together, and leaves out empty ones. */
export function joined(events: readonly ReplyEvent[]): ReplyEvent[] {
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

import type { ReplyEvent } from './events.js';
import { heldBack } from './events.js';
import { ValueEnd } from './value.js';

export const PARAMETER_CLOSE = '</parameter>';
const LINE_CLOSE = `\n${PARAMETER_CLOSE}`;
/** What models write for JSON's words that have read more Python. */
const WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

/** Reads what stands in an element of a parameter, and tells it as JSON. */
export interface ElementValue {
  /** Takes what it understands off the beginning of a text. @returns what is left, and whether the element is closed */
  take(text: string, events: ReplyEvent[]): { readonly rest: string; readonly closed: boolean };
  /** Of one that was cut short, what its rest tells. */
  cut(rest: string, events: ReplyEvent[]): void;
}

const inString = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A text as it is, told while it comes. A line end behind the tag that opens and one before that which closes are not of it. */
export class TextValue implements ElementValue {
  #begun = false;

  take(text: string, events: ReplyEvent[]): { rest: string; closed: boolean } {
    let rest = text;
    if (!this.#begun) {
      if (rest === '') return { rest, closed: false };
      this.#begun = true;
      events.push({ kind: 'arguments', text: '"' });
      if (rest.startsWith('\n') && !rest.startsWith(LINE_CLOSE)) rest = rest.slice(1);
    }
    const at = rest.indexOf(PARAMETER_CLOSE);
    if (at >= 0) {
      const end = rest[at - 1] === '\n' ? at - 1 : at;
      events.push({ kind: 'arguments', text: `${inString(rest.slice(0, end))}"` });
      return { rest: rest.slice(at + PARAMETER_CLOSE.length), closed: true };
    }
    let until = rest.length - Math.max(heldBack(rest, LINE_CLOSE), heldBack(rest, PARAMETER_CLOSE));
    // Halves of a character are written otherwise than both.
    if (/[\ud800-\udbff]$/.test(rest.slice(0, until))) until--;
    events.push({ kind: 'arguments', text: inString(rest.slice(0, until)) });
    return { rest: rest.slice(until), closed: false };
  }

  cut(rest: string, events: ReplyEvent[]): void {
    if (this.#begun) events.push({ kind: 'arguments', text: inString(rest) });
  }
}

/** JSON, told when it is there; what turns out to be none is a text. */
export class JsonValue implements ElementValue {
  take(text: string, events: ReplyEvent[]): { rest: string; closed: boolean } {
    for (let at = text.indexOf(PARAMETER_CLOSE); at >= 0; at = text.indexOf(PARAMETER_CLOSE, at + 1)) {
      const value = text.slice(0, at);
      // One inside of a string does not close it.
      if (isOpen(value.trim())) continue;
      events.push({ kind: 'arguments', text: asJson(value) });
      return { rest: text.slice(at + PARAMETER_CLOSE.length), closed: true };
    }
    return { rest: text, closed: false };
  }

  cut(rest: string, events: ReplyEvent[]): void {
    events.push({ kind: 'arguments', text: rest.trim() });
  }
}

function asJson(value: string): string {
  const trimmed = value.trim();
  if (Object.hasOwn(WORDS, trimmed)) return WORDS[trimmed];
  try {
    JSON.parse(trimmed);
    return trimmed;
  } catch {
    return JSON.stringify(value.replace(/^\n/, '').replace(/\n$/, ''));
  }
}

/** Whether a text is the beginning of a JSON value that has brackets or quotes, and not all of it. */
function isOpen(text: string): boolean {
  if (!/^["[{]/.test(text)) return false;
  const end = new ValueEnd();
  for (const char of text) if (end.take(char) !== 'more') return false;
  return true;
}

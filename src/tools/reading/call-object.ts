import type { ReplyEvent } from './events.js';
import { ValueEnd } from './value.js';

const ARGUMENTS: readonly string[] = ['arguments', 'parameters'];
/** The only keys an object may begin with to be a call. */
const FIRST: readonly string[] = ['name', 'type', 'id', ...ARGUMENTS];

/**
 * Reads `{"name": …, "arguments": …}`, character by character: the name is told as soon as it is there, arguments while
 * they come. Arguments before the name wait for it; those written as a text that holds JSON wait for its end.
 */
export class CallObject {
  /** All characters so far, for an object that turns out to be no call. */
  raw = '';
  /** Whether a call has been told of. */
  begun = false;
  #state: 'open' | 'key' | 'inKey' | 'colon' | 'value' | 'inValue' = 'open';
  #key = '';
  #keys = 0;
  #value = '';
  #end = new ValueEnd();
  #waiting = '';
  #told = false;

  readonly #first: readonly string[];

  /** @param first keys that the object must begin with to be a call */
  constructor(first: readonly string[] = FIRST) {
    this.#first = first;
  }

  /** @returns 'failed' where it is no call; `raw` has what was read then, this character included */
  take(char: string, events: ReplyEvent[]): 'more' | 'done' | 'failed' {
    this.raw += char;
    const white = /[ \t\r\n]/.test(char);
    switch (this.#state) {
      case 'open':
        if (white) return 'more';
        if (char !== '{') return 'failed';
        this.#state = 'key';
        return 'more';
      case 'key':
        if (white || (char === ',' && this.#keys > 0)) return 'more';
        if (char === '}') return this.#finish(events);
        if (char !== '"') return 'failed';
        this.#key = '';
        this.#state = 'inKey';
        return 'more';
      case 'inKey':
        if (char !== '"') {
          this.#key += char;
          return 'more';
        }
        if (this.#keys++ === 0 && !this.#first.includes(this.#key)) return 'failed';
        this.#state = 'colon';
        return 'more';
      case 'colon':
        if (white) return 'more';
        if (char !== ':') return 'failed';
        this.#state = 'value';
        return 'more';
      case 'value':
        if (white) return 'more';
        if (char === ',' || char === '}') return 'failed';
        this.#value = '';
        this.#end = new ValueEnd();
        this.#state = 'inValue';
        return this.#take(char, events);
      case 'inValue':
        return this.#take(char, events);
    }
  }

  #take(char: string, events: ReplyEvent[]): 'more' | 'done' | 'failed' {
    const place = this.#end.take(char);
    if (place !== 'past') {
      this.#value += char;
      if (ARGUMENTS.includes(this.#key) && this.#value.startsWith('{')) this.#tell(char, events);
      if (place === 'more') return 'more';
    }
    this.#state = 'key';
    if (!this.#closed(events)) return 'failed';
    return place === 'past' && char === '}' ? this.#finish(events) : 'more';
  }

  /** A value is complete. */
  #closed(events: ReplyEvent[]): boolean {
    if (this.#key === 'name') {
      const name = parsed(this.#value);
      if (typeof name !== 'string' || this.begun) return false;
      this.begun = true;
      events.push({ kind: 'call', name });
      this.#tell('', events);
    } else if (ARGUMENTS.includes(this.#key) && !this.#value.startsWith('{')) {
      const text = parsed(this.#value);
      if (typeof text === 'string') this.#tell(text.trim() === '' ? '{}' : text, events);
      else this.#tell(text === null || text === undefined ? '{}' : this.#value, events);
    }
    return true;
  }

  #tell(text: string, events: ReplyEvent[]): void {
    this.#waiting += text;
    if (!this.begun || this.#waiting === '') return;
    this.#told = true;
    events.push({ kind: 'arguments', text: this.#waiting });
    this.#waiting = '';
  }

  #finish(events: ReplyEvent[]): 'done' | 'failed' {
    if (!this.begun) return 'failed';
    if (!this.#told) this.#tell('{}', events);
    return 'done';
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

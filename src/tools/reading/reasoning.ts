import { heldBack, joined, type ReplyEvent, type ReplyReader, WHITE } from './events.js';

/** What stands around what a model thinks before it answers. */
export interface ReasoningMarkers {
  readonly open: string;
  readonly close: string;
}

/** Splits what a model thinks first from the rest, which another reader takes apart. */
export class ReasoningReader implements ReplyReader {
  #state: 'start' | 'inside' | 'behind' | 'outside';
  #buffer = '';

  readonly #markers: ReasoningMarkers;
  readonly #inner: ReplyReader;

  /** @param begun whether the prompt ends inside of it, as some templates have it */
  constructor(markers: ReasoningMarkers, inner: ReplyReader, begun: boolean) {
    this.#markers = markers;
    this.#inner = inner;
    this.#state = begun ? 'inside' : 'start';
  }

  push(text: string): ReplyEvent[] {
    this.#buffer += text;
    return joined(this.#read(false));
  }

  end(): ReplyEvent[] {
    const events = this.#read(true);
    return joined([...events, ...this.#inner.end()]);
  }

  #read(ended: boolean): ReplyEvent[] {
    const { open, close } = this.#markers;
    const events: ReplyEvent[] = [];
    if (this.#state === 'start') {
      const text = this.#buffer.replace(WHITE, '');
      if (text.startsWith(open)) {
        this.#buffer = text.slice(open.length);
        this.#state = 'inside';
      } else if (ended || !open.startsWith(text)) this.#state = 'outside';
      else return events;
    }
    if (this.#state === 'inside') {
      const at = this.#buffer.indexOf(close);
      const until = at >= 0 ? at : this.#buffer.length - (ended ? 0 : heldBack(this.#buffer, close));
      events.push({ kind: 'reasoning', text: this.#buffer.slice(0, until) });
      this.#buffer = this.#buffer.slice(at >= 0 ? at + close.length : until);
      if (at >= 0) this.#state = 'behind';
    }
    if (this.#state === 'behind') {
      this.#buffer = this.#buffer.replace(WHITE, '');
      if (this.#buffer !== '') this.#state = 'outside';
    }
    if (this.#state === 'outside') {
      const text = this.#buffer;
      this.#buffer = '';
      events.push(...this.#inner.push(text));
    }
    return events;
  }
}

/** Takes everything for text. */
export class TextReader implements ReplyReader {
  push(text: string): ReplyEvent[] {
    return text === '' ? [] : [{ kind: 'text', text }];
  }

  end(): ReplyEvent[] {
    return [];
  }
}

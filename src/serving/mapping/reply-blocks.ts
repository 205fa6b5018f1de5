import type { ReplyEvent, ReplyReader } from '../../tools/index.js';

/** A part of a reply: text, a thought or a call, whose text are its arguments. */
export interface Block {
  readonly index: number;
  readonly kind: 'text' | 'reasoning' | 'call';
  /** Of the tool that is called. */
  readonly name: string;
  text: string;
}

export type BlockEvent =
  | { readonly at: 'begin' | 'end'; readonly block: Block }
  | { readonly at: 'more'; readonly block: Block; readonly text: string };

/** Takes a reply apart into blocks, one after the other. White space between them is in none. */
export class ReplyBlocks {
  readonly blocks: Block[] = [];
  readonly #reader: ReplyReader;
  #open: Block | undefined;
  #white = '';

  constructor(reader: ReplyReader) {
    this.#reader = reader;
  }

  get hasCalls(): boolean {
    return this.blocks.some(({ kind }) => kind === 'call');
  }

  push(text: string): BlockEvent[] {
    const events = this.#reader.push(text);
    // Of most tokens.
    if (events.length === 0) return [];
    if (events.length === 1) return this.#take(events[0]);
    return events.flatMap((event) => this.#take(event));
  }

  /** The last events; a reply that had nothing in it is an empty text. */
  end(): BlockEvent[] {
    const events = this.#reader.end().flatMap((event) => this.#take(event));
    if (this.blocks.length === 0) events.push(...this.#begin('text', ''), ...this.#more(this.#white));
    return [...events, ...this.#close()];
  }

  #take(event: ReplyEvent): BlockEvent[] {
    if (event.kind === 'call') return this.#begin('call', event.name);
    if (event.kind === 'arguments') return this.#more(event.text);
    if (this.#open?.kind === event.kind) return this.#more(event.text);
    const text = this.#white + event.text;
    this.#white = '';
    if (text.trim() !== '') return [...this.#begin(event.kind, ''), ...this.#more(text)];
    this.#white = text;
    return [];
  }

  #begin(kind: Block['kind'], name: string): BlockEvent[] {
    const closed = this.#close();
    const block: Block = { index: this.blocks.length, kind, name, text: '' };
    this.blocks.push(block);
    this.#open = block;
    return [...closed, { at: 'begin', block }];
  }

  #more(text: string): BlockEvent[] {
    const block = this.#open;
    if (block === undefined || text === '') return [];
    block.text += text;
    return [{ at: 'more', block, text }];
  }

  #close(): BlockEvent[] {
    const block = this.#open;
    this.#open = undefined;
    this.#white = '';
    return block === undefined ? [] : [{ at: 'end', block }];
  }
}

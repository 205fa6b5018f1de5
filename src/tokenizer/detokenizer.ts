import { TextStream } from './text-stream.js';
import type { DecodeOptions, Tokenizer } from './tokenizer.js';

export interface DetokenizerOptions extends DecodeOptions {
  /** Ids before the generated ones: the prompt. Without them the first token is taken for the start of a text. */
  readonly context?: readonly number[];
  /** Special tokens that are written even where others are left out. */
  readonly shown?: ReadonlySet<number>;
}

/** A character has at most four bytes, so that many tokens say all that matters of what came before. */
const CONTEXT_TOKENS = 4;

/**
 * Turns generated ids into text one by one, at a cost per token that does not grow with the text. All pushes and
 * `flush` together give what `decode(context + ids)` has after `decode(context)`; where the context ends inside a
 * character, they begin with that character.
 */
export class IncrementalDetokenizer {
  readonly #stream: TextStream;
  readonly #skip: boolean;
  readonly #shown: ReadonlySet<number>;

  readonly #tokenizer: Tokenizer;

  constructor(tokenizer: Tokenizer, options: DetokenizerOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#stream = new TextStream(tokenizer.strip);
    this.#skip = options.skipSpecialTokens ?? true;
    this.#shown = options.shown ?? new Set();
    const context = options.context ?? [];
    const last: Uint8Array[] = [];
    for (let i = context.length - 1; i >= 0 && last.length < CONTEXT_TOKENS; i--) {
      const bytes = this.#bytesOf(context[i]);
      if (bytes.length > 0) last.unshift(bytes);
    }
    for (const bytes of last) this.#stream.write(bytes);
  }

  /** The text this token completes: whole characters only, empty while one is incomplete. */
  push(id: number): string {
    const bytes = this.#bytesOf(id);
    return bytes.length === 0 ? '' : this.#stream.write(bytes);
  }

  /** What is left at the end of a generation: U+FFFD where it ends inside a character. */
  flush(): string {
    return this.#stream.end();
  }

  #bytesOf(id: number): Uint8Array {
    const left = this.#skip && this.#tokenizer.specialIds.has(id) && !this.#shown.has(id);
    return left ? new Uint8Array(0) : this.#tokenizer.bytesOf(id);
  }
}

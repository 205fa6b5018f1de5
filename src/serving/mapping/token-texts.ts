import type { TextEngine } from '../../engine/api.js';

export type TokenWords = Pick<TextEngine, 'tokenBytes' | 'detokenize'>;
/** UTF-8 bytes of a token where it stands. */
export type BytesOf = (id: number) => Uint8Array;

const utf8 = new TextEncoder();
const BLANK = 0x20;

/**
 * What the tokens of a text are written as, one after the other. The first one of a text loses its blank where the
 * tokenizer puts one before every text, so that all of them together are the text.
 */
export class TokenTexts {
  #begun: boolean;
  readonly #words: TokenWords;

  /** @param promptIds what stands before; without any text in it, the first token begins one. Undefined for some text */
  constructor(words: TokenWords, promptIds?: readonly number[]) {
    this.#words = words;
    this.#begun = promptIds === undefined || promptIds.some((id) => this.writes(id));
  }

  /** How to write the token that comes next, or others in its place. */
  next(id: number): BytesOf {
    const words = this.#words;
    const bytesOf: BytesOf = this.#begun ? (any) => words.tokenBytes(any) : (any) => this.#firstBytes(any);
    this.#begun ||= this.writes(id);
    return bytesOf;
  }

  #firstBytes(id: number): Uint8Array {
    const bytes = this.#words.tokenBytes(id);
    const stripped = utf8.encode(this.#words.detokenize([id]));
    return bytes[0] === BLANK && stripped.length === bytes.length - 1 ? stripped : bytes;
  }

  /** Whether a token is part of the text, as special ones are not. */
  writes(id: number): boolean {
    const bytes = this.#words.tokenBytes(id);
    return bytes.length > 0 && (bytes.every((byte) => byte === BLANK) || this.#words.detokenize([id]) !== '');
  }
}

import type { LeadingStrip } from './token-bytes.js';

/** Turns the bytes of tokens into text as they come: whole characters only, and without the blanks put in front. */
export class TextStream {
  // A byte order mark is a character of the text here, not a mark of its encoding.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #toStrip: number;
  readonly #strip: LeadingStrip;

  constructor(strip: LeadingStrip) {
    this.#strip = strip;
    this.#toStrip = strip.count;
  }

  /** The text that these bytes complete. Bytes that can no longer become a character come out as U+FFFD. */
  write(bytes: Uint8Array): string {
    return this.#stripped(this.#decoder.decode(bytes, { stream: true }));
  }

  /** U+FFFD for a character that was never completed, else nothing. The stream begins anew after it. */
  end(): string {
    const rest = this.#stripped(this.#decoder.decode());
    this.#toStrip = this.#strip.count;
    return rest;
  }

  #stripped(text: string): string {
    let start = 0;
    while (this.#toStrip > 0 && start < text.length) {
      if (text[start] === this.#strip.content) {
        start++;
        this.#toStrip--;
      } else {
        this.#toStrip = 0;
      }
    }
    return start === 0 ? text : text.slice(start);
  }
}

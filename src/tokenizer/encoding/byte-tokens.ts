const utf8 = new TextEncoder();

/** Tokens that stand for the bytes of text that a vocabulary has no other tokens for. */
export class ByteTokens {
  /** By byte; -1 where there is none. */
  readonly #ids: Int32Array;
  readonly #all: boolean;
  #room = new Uint8Array(256);

  constructor(idOf: (token: string) => number | undefined) {
    const name = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    this.#ids = Int32Array.from({ length: 256 }, (_, byte) => idOf(name(byte)) ?? -1);
    this.#all = this.#ids.every((id) => id >= 0);
  }

  /** Appends the ids of a text's bytes. @returns false, appending none, where a byte has none */
  push(text: string, into: number[]): boolean {
    if (3 * text.length > this.#room.length) this.#room = new Uint8Array(3 * text.length);
    const { written } = utf8.encodeInto(text, this.#room);
    for (let i = 0; i < written; i++) if (this.#ids[this.#room[i]] < 0) return false;
    for (let i = 0; i < written; i++) into.push(this.#ids[this.#room[i]]);
    return true;
  }

  /** Whether all of a text's bytes have one. */
  has(text: string): boolean {
    return this.#all || utf8.encode(text).every((byte) => this.#ids[byte] >= 0);
  }
}

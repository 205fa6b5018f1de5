/** Finds the end of a JSON value, character by character. What is not JSON ends somewhere, too. */
export class ValueEnd {
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #begun = false;
  #bare = false;

  /** @returns whether the value goes on after this character, ends with it, or had ended before it */
  take(char: string): 'more' | 'last' | 'past' {
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false;
      else if (char === '\\') this.#escaped = true;
      else if (char === '"') {
        this.#quoted = false;
        if (this.#depth === 0) return 'last';
      }
      return 'more';
    }
    const opens = char === '{' || char === '[';
    const closes = char === '}' || char === ']';
    if (this.#depth === 0 && this.#begun && (closes || char === ',' || /[ \t\r\n]/.test(char))) return 'past';
    if (char === '"' && !this.#bare) this.#quoted = true;
    else if (opens && !this.#bare) this.#depth++;
    else if (closes && this.#depth > 0) this.#depth--;
    else if (this.#depth === 0) this.#bare = true;
    this.#begun = true;
    return closes && this.#depth === 0 ? 'last' : 'more';
  }
}

/** Reads a reply out to those who listen, a sentence at a time rather than a token. */
export class Announcer {
  readonly #place: HTMLElement;
  #pending = '';

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  push(text: string): void {
    this.#pending += text;
    const end = Math.max(...['. ', '! ', '? ', '.\n', '\n'].map((mark) => this.#pending.lastIndexOf(mark)));
    if (end < 0) return;
    this.#place.textContent = this.#pending.slice(0, end + 1).trim();
    this.#pending = this.#pending.slice(end + 1);
  }

  end(): void {
    this.#place.textContent = this.#pending.trim();
    this.#pending = '';
  }
}

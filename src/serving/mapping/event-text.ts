import type { AnswerHead } from './head.js';

/** JSON of a stream's events that differ in their choices only: what they share is written once. */
export class EventText {
  readonly #before: string;
  readonly #after: string;

  /** @param after fields behind the choices */
  constructor(head: AnswerHead & { readonly object: string }, after: object) {
    this.#before = `${JSON.stringify(head).slice(0, -1)},"choices":`;
    const rest = JSON.stringify(after).slice(1);
    this.#after = rest === '}' ? rest : `,${rest}`;
  }

  /** Of one choice that is JSON already. */
  ofJson(choice: string): string {
    return `${this.#before}[${choice}]${this.#after}`;
  }

  of(choices: readonly object[]): string {
    return this.#before + JSON.stringify(choices) + this.#after;
  }
}

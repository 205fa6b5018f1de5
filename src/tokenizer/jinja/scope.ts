import { Undefined } from './values.js';

/** Names and what they stand for, a scope inside another. */
export class Scope {
  readonly #values = new Map<string, unknown>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get(name: string): unknown {
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    return this.#outer === undefined ? new Undefined(`'${name}' is undefined`) : this.#outer.get(name);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }
}

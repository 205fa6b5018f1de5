import { IncrementalDetokenizer } from './detokenizer.js';
import { StopMatcher, type StopResult } from './stop.js';
import type { Tokenizer } from './tokenizer.js';

/** Turns the tokens of a generation into text until a stop string is complete. */
export class TextOutput {
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stops: StopMatcher;
  /** Special tokens that stop strings hold, and how they are written there. */
  readonly #written = new Map<number, string>();

  /**
   * @param context ids before the generated ones
   * @param stops may hold special tokens, written out; those are looked for among the tokens, which gives no text
   */
  constructor(tokenizer: Tokenizer, context: readonly number[], stops: readonly string[]) {
    this.#detokenizer = new IncrementalDetokenizer(tokenizer, { context });
    this.#stops = new StopMatcher(stops);
    for (const stop of stops) {
      for (const { id, content } of tokenizer.specialsIn(stop)) this.#written.set(id, content);
    }
  }

  /** The text that a token completes, as far as it may be shown. */
  push(id: number): StopResult {
    const written = this.#written.get(id);
    return written === undefined ? this.#stops.push(this.#detokenizer.push(id)) : this.#stops.push(written, true);
  }

  /** What is left at the end of a generation that no stop string ended. */
  end(): string {
    const { text, stop } = this.#stops.push(this.#detokenizer.flush());
    return stop === undefined ? text + this.#stops.flush() : text;
  }
}

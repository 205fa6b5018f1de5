import { IncrementalDetokenizer } from './detokenizer.js';
import { StopMatcher, type StopResult } from './stop.js';
import type { Tokenizer } from './tokenizer.js';

export interface TextOutputOptions {
  /** May hold special tokens, written out; those are looked for among the tokens, which gives no text. */
  readonly stop?: readonly string[];
  readonly skipSpecialTokens?: boolean;
  /** Special tokens that are written all the same, by name. */
  readonly shownSpecials?: readonly string[];
  /** The stop string that was met ends the text. */
  readonly includeStop?: boolean;
  /** Tokens in which no stop string is looked for. */
  readonly minTokens?: number;
}

/** Turns the tokens of a generation into text until a stop string is complete. */
export class TextOutput {
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stops: StopMatcher;
  /** Special tokens that stop strings hold, and how they are written there. */
  readonly #written = new Map<number, string>();

  readonly #includeStop: boolean;
  /** Tokens to come in which no stop string is looked for. */
  #unstoppable: number;

  /** @param context ids before the generated ones */
  constructor(tokenizer: Tokenizer, context: readonly number[], options: TextOutputOptions = {}) {
    const { stop: stops = [], skipSpecialTokens, shownSpecials = [], includeStop = false, minTokens = 0 } = options;
    const shown = new Set(shownSpecials.map((name) => tokenizer.specialId(name)).filter((id) => id !== undefined));
    this.#detokenizer = new IncrementalDetokenizer(tokenizer, { context, skipSpecialTokens, shown });
    this.#stops = new StopMatcher(stops);
    this.#includeStop = includeStop;
    this.#unstoppable = minTokens;
    if (skipSpecialTokens === false) return;
    for (const stop of stops) {
      for (const { id, content } of tokenizer.specialsIn(stop)) if (!shown.has(id)) this.#written.set(id, content);
    }
  }

  /** The text that a token completes, as far as it may be shown. */
  push(id: number): StopResult {
    const written = this.#written.get(id);
    if (this.#unstoppable > 0) {
      this.#unstoppable--;
      return { text: this.#detokenizer.push(id) };
    }
    const result =
      written === undefined ? this.#stops.push(this.#detokenizer.push(id)) : this.#stops.push(written, true);
    if (result.stop === undefined || !this.#includeStop) return result;
    return { text: result.text + result.stop, stop: result.stop };
  }

  /** What is left at the end of a generation that no stop string ended. */
  end(): string {
    const { text, stop } = this.#stops.push(this.#detokenizer.flush());
    return stop === undefined ? text + this.#stops.flush() : text;
  }
}

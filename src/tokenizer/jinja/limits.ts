/**
 * Bounds for chat templates, which are programs that come with a model: one that loops ends with an error instead of
 * never. Work is counted, not timed, so the same template always ends at the same place.
 */
import { fail } from './values.js';

/** Numbers that all calls of `range` may make; transformers' sandbox allows as many to each call. */
const MOST_RANGE = 100_000;
/** Expressions and statements that may be evaluated. A long conversation takes some thousands. */
const MOST_STEPS = 5_000_000;
/** Characters that a template may write. */
const MOST_TEXT = 32 << 20;

/** What one rendering has used up. */
export class RenderLimits {
  #steps = 0;
  #ranged = 0;
  #written = 0;

  step(): void {
    if (++this.#steps > MOST_STEPS) fail('it takes more than 5 million steps; it may loop without an end');
  }

  range(count: number): void {
    this.#ranged += count;
    if (this.#ranged > MOST_RANGE) fail(`its calls of range make more than ${MOST_RANGE} numbers`);
  }

  write(text: string): void {
    this.#written += text.length;
    if (this.#written > MOST_TEXT) fail(`it writes more than ${MOST_TEXT} characters`);
  }
}

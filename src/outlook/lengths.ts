import type { ScheduledSequence } from '../scheduler/sequence.js';

/** Answers that are remembered. */
const REMEMBERED = 128;
/** Fewer say nothing of the next one. */
const LEAST = 8;

/** How long answers turn out, which few requests say: most leave `max_tokens` at more than they will need. */
export class AnswerLengths {
  readonly #ended: number[] = [];

  /** An answer has ended with so many tokens. */
  note(tokens: number): void {
    this.#ended.push(tokens);
    if (this.#ended.length > REMEMBERED) this.#ended.shift();
  }

  /**
   * Tokens a sequence is expected to have at its end: the mean of those of the remembered that were longer than it is
   * by now, each cut at what it may have; its most, where too few are known.
   */
  readonly of = ({ delivered, maxTokens }: Pick<ScheduledSequence, 'delivered' | 'maxTokens'>): number => {
    const longer = this.#ended.filter((tokens) => tokens > delivered);
    if (this.#ended.length < LEAST || longer.length === 0) return maxTokens;
    const sum = longer.reduce((total, tokens) => total + Math.min(tokens, maxTokens), 0);
    return Math.max(delivered + 1, Math.round(sum / longer.length));
  };
}

import type { ConstraintDescription } from './description.js';

/**
 * Decides which tokens may come next, for example so that the text is JSON of a given schema. Holds the state of one
 * generation.
 */
export interface TokenConstraint {
  /** What another process can make it of anew; undefined where it can only be asked here. */
  readonly description?: ConstraintDescription | undefined;
  /**
   * One bit a token id, 32 ids to a word from the lowest bit up, set where the id may come next; end-of-sequence ids
   * included, where the text may end. The next call of `accept` may overwrite it.
   */
  allowed(): Uint32Array;
  /** Takes note of the token that was chosen. @throws RangeError if it was not allowed */
  accept(id: number): void;
}

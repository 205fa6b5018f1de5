/**
 * Regular expressions over bytes as hash-consed values, and their derivatives: `derive(e, b)` is what may still follow
 * once the byte `b` has been read (Brzozowski, "Derivatives of Regular Expressions", JACM 1964). An expression is the
 * state of an automaton; equal states are one object, so whatever is computed for a state is computed once.
 */
export type Expression = Never | Empty | Bytes | Sequence | Choice | Repeat | Group | State | Within;

interface Common {
  readonly id: number;
  /** Whether the text may end here. */
  readonly nullable: boolean;
  /** Whether the end can be reached from here by tokens of a single byte each, whatever longer tokens there are. */
  readonly live: boolean;
  /** Derivatives found so far, by byte. */
  memo?: (Expression | undefined)[];
}
/** Nothing fits. Occurs only by itself: every other expression fits at least one text. */
export interface Never extends Common {
  readonly kind: 'never';
}
export interface Empty extends Common {
  readonly kind: 'empty';
}
/** One byte out of a set of 256 bits. */
export interface Bytes extends Common {
  readonly kind: 'bytes';
  readonly set: Uint32Array;
}
/** `first`, which is no sequence itself, then `rest`: a stack with its top in front. */
export interface Sequence extends Common {
  readonly kind: 'sequence';
  readonly first: Expression;
  readonly rest: Expression;
}
export interface Choice extends Common {
  readonly kind: 'choice';
  /** At least two, in the order of their ids, none of them a choice. */
  readonly items: readonly Expression[];
}
/** `item` from `min` to `max` times; `max` may be Infinity. */
export interface Repeat extends Common {
  readonly kind: 'repeat';
  readonly item: Expression;
  readonly min: number;
  readonly max: number;
}
/**
 * Means what `inner` means, but stays apart from what follows it. A string or a number is a group: its tokens are
 * looked up once, whatever follows.
 */
export interface Group extends Common {
  readonly kind: 'group';
  readonly inner: Expression;
}
/** A state of a finite automaton made by `intersect`: `next[classOf[byte]]` is its derivative. */
export interface State extends Common {
  readonly kind: 'state';
  readonly classOf: Uint8Array;
  readonly next: readonly Expression[];
}
/** Texts of an automaton made by `intersect` that have at most `most` bytes: what its states would count is counted here. */
export interface Within extends Common {
  readonly kind: 'within';
  readonly inner: Expression;
  readonly most: number;
}

export const NEVER: Never = { kind: 'never', id: 0, nullable: false, live: false };
export const EMPTY: Empty = { kind: 'empty', id: 1, nullable: true, live: true };

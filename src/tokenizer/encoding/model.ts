/** Turns words into ids. */
export interface EncodingModel {
  /** UTF-16 units of the longest word that may be encoded at once. */
  readonly longest: number;
  /** Appends a word's ids. */
  encode(word: string, into: number[]): void;
  /** The same; each yield is a place where the work may be left for a while. */
  steps(word: string, into: number[]): Generator<void, void>;
}

/** What a generator returns, without a pause. */
export function drained<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

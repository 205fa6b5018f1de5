/** Turns words into ids. */
export interface EncodingModel {
  /** Appends a word's ids; each yield is a place where the work may be left for a while. */
  encode(word: string, into: number[]): Generator<void, void>;
}

/** The part used of npm's `tokenizers`, the Rust library; it has binaries for some platforms only. */
export interface RustTokenizer {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }>;
  encodeBatch(texts: string[], options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }[]>;
  decodeBatch(ids: number[][], skipSpecialTokens: boolean): Promise<string[]>;
}
interface Rust {
  readonly Tokenizer: { fromString(json: string): RustTokenizer };
}

const name = 'tokenizers';

/** Undefined where it has no binary. */
export const rust = await import(name).then(
  (found: { default: Rust }) => found.default,
  () => undefined,
);

/**
 * What is taken of `@huggingface/tokenizers`: its translation of Oniguruma's patterns, in which `tokenizer.json` is
 * written, into JavaScript's. Everything else of encoding is done here, since its encoders differ from the Rust library
 * that files are made with, and stand in a server's way on long texts:
 *
 * - Unigram ignores `byte_fallback`, so newlines and rare characters become <unk> (reported there as #26)
 * - `Digits` splits at \d, Rust at every \p{N}, such as ² and ½
 * - `Metaspace` has no `split` and takes every text behind an added token for the first
 * - `single_word` of an added token is read and then ignored
 * - `Split` knows no "MergedWithPrevious", "MergedWithNext" and "Contiguous"; \s of `ByteLevel` is JavaScript's
 * - `Precompiled` ignores its table and takes NFKC for it
 * - Llama 2's vocabulary, which has no pre-tokenizer, takes ten times as long as in Rust
 */
import * as library from '@huggingface/tokenizers';
import { RidgepointError } from '../../errors.js';
import { compilePattern } from '../../patterns/program.js';
import { Search, type Finder } from '../../patterns/search.js';
import { malformed, TOKENIZER_FILE } from '../files.js';

/** The part used; the library's own declarations do not resolve under NodeNext. */
interface Patterns {
  readonly SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

/**
 * Makes searches for a pattern of a model's file, in time that grows with the text's length whatever the pattern is.
 *
 * @throws RidgepointError for a pattern that cannot be translated or matched so
 */
export function patternFinder(source: string): () => Finder {
  const { SplitPreTokenizer } = library as unknown as Patterns;
  const shown = JSON.stringify(source.slice(0, 200));
  try {
    const { pattern } = new SplitPreTokenizer({ pattern: { Regex: source } });
    if (pattern === null) return malformed(TOKENIZER_FILE, `pattern ${shown} is empty`);
    const program = compilePattern(pattern);
    return () => new Search(program);
  } catch (cause) {
    if (cause instanceof RidgepointError) throw cause;
    return malformed(TOKENIZER_FILE, `pattern ${shown} cannot be used here: ${(cause as Error).message}`, cause);
  }
}

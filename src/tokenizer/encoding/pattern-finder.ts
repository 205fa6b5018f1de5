import { RidgepointError } from '../../errors.js';
import { compileOniguruma } from '../../patterns/oniguruma.js';
import { Search, type Finder } from '../../patterns/search.js';
import { malformed, TOKENIZER_FILE } from '../files.js';

/**
 * Makes searches for a pattern of a model's file, in time that grows with the text's length whatever the pattern is.
 *
 * @throws RidgepointError for a pattern that cannot be read or matched so
 */
export function patternFinder(source: string): () => Finder {
  try {
    const program = compileOniguruma(source);
    return () => new Search(program);
  } catch (cause) {
    if (cause instanceof RidgepointError) throw cause;
    const shown = JSON.stringify(source.slice(0, 200));
    return malformed(TOKENIZER_FILE, `pattern ${shown} cannot be used here: ${(cause as Error).message}`, cause);
  }
}

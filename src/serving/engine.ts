import type { TokenConstraint, TokenVocabulary } from '../engine/api.js';
import type { Grammar } from '../grammar/grammar.js';

/**
 * Makes the constraints that keep texts to a grammar.
 *
 * @throws RidgepointError ('usage') for a schema, pattern or rule that is malformed or not supported
 */
export type GrammarCompiler = (grammar: Grammar, vocabulary: TokenVocabulary) => { create(): TokenConstraint };

import type { TokenConstraint, TokenVocabulary } from '../engine/api.js';

/**
 * Makes the constraint that keeps a text to a JSON schema; to any JSON object where there is no schema.
 *
 * @throws RidgepointError ('usage') for a schema that is malformed or not supported
 */
export type JsonConstraintCompiler = (schema: unknown, vocabulary: TokenVocabulary) => { create(): TokenConstraint };

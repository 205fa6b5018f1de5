import type { GenerateOptions, GenerationResult, TextEngine, TokenConstraint, TokenVocabulary } from '../engine/api.js';

/** What an engine knows of its queue, cache and luck; counters count from its start. */
export interface EngineStats {
  readonly waiting: number;
  readonly running: number;
  readonly kvBlocks: number;
  readonly kvBlocksFree: number;
  readonly preemptions: number;
  /** Prompt tokens looked up in the prefix cache, and those found there. */
  readonly prefixQueriedTokens: number;
  readonly prefixHitTokens: number;
  /** Tokens guessed by speculative decoding, and those that turned out right. */
  readonly speculatedTokens: number;
  readonly acceptedTokens: number;
  readonly steps: number;
}

/** The engine as the server uses it. */
export type ServingEngine = TextEngine & { stats?(): EngineStats };

export interface ServingGenerateOptions extends GenerateOptions {
  /** Smaller goes first. */
  readonly priority?: number;
  readonly constraint?: TokenConstraint;
}

/** Prompt tokens whose keys and values were in the prefix cache already. */
export function cachedTokens(result: GenerationResult): number {
  return (result as GenerationResult & { cachedTokens?: number }).cachedTokens ?? 0;
}

/**
 * Makes the constraint that keeps a text to a JSON schema; to any JSON object where there is no schema.
 *
 * @throws RidgepointError ('usage') for a schema that is malformed or not supported
 */
export type JsonConstraintCompiler = (schema: unknown, vocabulary: TokenVocabulary) => { create(): TokenConstraint };

import type { TokenConstraint, TokenVocabulary } from '../../engine/api.js';
import { json, type Grammar } from '../../grammar/grammar.js';
import type { GrammarCompiler } from '../engine.js';
import { toApiError, ApiError, badRequest } from '../errors.js';

type Factory = ReturnType<GrammarCompiler>;

/** Grammars whose automata, or refusals, are kept: a client tends to send the same one with every request. */
const KEPT = 32;
/** Longest grammar, in characters of its JSON. */
const MOST_CHARACTERS = 128 * 1024;

/** Any JSON object. */
const OBJECT = json();

/** Turns the forms that answers are to have into what keeps the engine to them. */
export class Grammars {
  /** By the grammar's text, the least recently used first. */
  readonly #compiled = new Map<string, Factory | ApiError>();

  readonly #compile: GrammarCompiler | undefined;
  readonly #vocabulary: TokenVocabulary | undefined;

  constructor(compile: GrammarCompiler | undefined, vocabulary: TokenVocabulary | undefined) {
    this.#compile = compile;
    this.#vocabulary = vocabulary;
  }

  /**
   * @param param the field that the form comes from
   * @returns makes the constraint of a choice; undefined for free text
   * @throws ApiError (400) for a schema, pattern or rule that is malformed, not supported or too costly
   */
  constraint(grammar: Grammar | undefined, param: string): (() => TokenConstraint) | undefined {
    if (grammar === undefined) return undefined;
    const key = JSON.stringify(grammar);
    if (key.length > MOST_CHARACTERS) {
      throw refused(`the schema has ${key.length} characters, and this server takes up to ${MOST_CHARACTERS}`, param);
    }
    const made = this.#compiled.get(key) ?? this.#make(grammar, param);
    this.#compiled.delete(key); // to be the last to be forgotten
    this.#compiled.set(key, made);
    if (this.#compiled.size > KEPT) this.#compiled.delete(this.#compiled.keys().next().value!);
    if (made instanceof ApiError) throw made;
    return () => made.create();
  }

  /** Prepares what all schemas share, so that the first request with one does not hold up the others. */
  warmUp(): void {
    if (this.#compile === undefined || this.#vocabulary === undefined) return;
    const any = this.#make(OBJECT, 'response_format');
    this.#compiled.set(JSON.stringify(OBJECT), any);
    if (!(any instanceof ApiError)) any.create().allowed();
  }

  #make(grammar: Grammar, param: string): Factory | ApiError {
    const vocabulary = this.#vocabulary;
    if (this.#compile === undefined || vocabulary === undefined) {
      throw badRequest(`${param}: only text is supported by this server`, param);
    }
    try {
      return this.#compile(grammar, vocabulary);
    } catch (error) {
      const { status, message } = toApiError(error);
      if (status >= 500) throw error;
      return refused(message, param, error);
    }
  }
}

function refused(message: string, param: string, cause?: unknown): ApiError {
  return new ApiError(400, message, { param, code: 'invalid_schema', cause });
}

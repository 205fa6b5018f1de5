import type { TokenConstraint, TokenVocabulary } from '../../engine/api.js';
import type { JsonConstraintCompiler } from '../engine.js';
import { toApiError, ApiError, badRequest } from '../errors.js';
import type { ResponseFormat } from '../schema/response-format.js';

type Factory = ReturnType<JsonConstraintCompiler>;

/** Schemas whose grammars, or refusals, are kept: a client tends to send the same one with every request. */
const KEPT = 32;
/** Longest schema, in characters of its JSON. */
const MOST_CHARACTERS = 128 * 1024;

/** Turns `response_format` into what keeps the engine to it. */
export class ResponseFormats {
  /** By the schema's text, the least recently used first. */
  readonly #compiled = new Map<string, Factory | ApiError>();

  constructor(
    private readonly compile: JsonConstraintCompiler | undefined,
    private readonly vocabulary: TokenVocabulary | undefined,
  ) {}

  /**
   * @returns makes the constraint of a choice; undefined for free text
   * @throws ApiError (400) for a schema that is malformed, not supported or too costly
   */
  constraint(format: ResponseFormat): (() => TokenConstraint) | undefined {
    if (format === undefined || format.type === 'text') return undefined;
    const schema = format.type === 'json_schema' ? format.json_schema.schema : (format.schema ?? undefined);
    const key = schema === undefined ? '' : JSON.stringify(schema);
    if (key.length > MOST_CHARACTERS) {
      throw refused(`the schema has ${key.length} characters, and this server takes up to ${MOST_CHARACTERS}`);
    }
    const made = this.#compiled.get(key) ?? this.#make(schema);
    this.#compiled.delete(key); // to be the last to be forgotten
    this.#compiled.set(key, made);
    if (this.#compiled.size > KEPT) this.#compiled.delete(this.#compiled.keys().next().value!);
    if (made instanceof ApiError) throw made;
    return () => made.create();
  }

  /** Prepares what all schemas share, so that the first request with one does not hold up the others. */
  warmUp(): void {
    if (this.compile === undefined || this.vocabulary === undefined) return;
    const any = this.#make(undefined);
    this.#compiled.set('', any);
    if (!(any instanceof ApiError)) any.create().allowed();
  }

  #make(schema: unknown): Factory | ApiError {
    const { vocabulary } = this;
    if (this.compile === undefined || vocabulary === undefined) {
      throw badRequest('only text is supported by this server', 'response_format');
    }
    try {
      return this.compile(schema, vocabulary);
    } catch (error) {
      const { status, message } = toApiError(error);
      if (status >= 500) throw error;
      return refused(message, error);
    }
  }
}

function refused(message: string, cause?: unknown): ApiError {
  return new ApiError(400, message, { param: 'response_format', code: 'invalid_schema', cause });
}

import type { TokenConstraint, TokenVocabulary } from '../../engine/api.js';
import type { JsonConstraintCompiler } from '../engine.js';
import { toApiError, ApiError, badRequest } from '../errors.js';
import type { ResponseFormat } from '../schema/response-format.js';

type Factory = ReturnType<JsonConstraintCompiler>;

/** Compiled grammars that are kept: a client tends to send the same schema with every request. */
const KEPT = 32;

/** Turns `response_format` into what keeps the engine to it. */
export class ResponseFormats {
  readonly #compiled = new Map<string, Factory>();

  constructor(
    private readonly compile: JsonConstraintCompiler | undefined,
    private readonly vocabulary: TokenVocabulary | undefined,
  ) {}

  /**
   * @returns makes the constraint of a choice; undefined for free text
   * @throws ApiError (400) for a schema that is malformed or not supported
   */
  constraint(format: ResponseFormat): (() => TokenConstraint) | undefined {
    if (format === undefined || format.type === 'text') return undefined;
    const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined;
    const key = schema === undefined ? '' : JSON.stringify(schema);
    let factory = this.#compiled.get(key);
    if (factory === undefined) {
      factory = this.#make(schema);
      this.#compiled.set(key, factory);
      if (this.#compiled.size > KEPT) this.#compiled.delete(this.#compiled.keys().next().value!);
    }
    const made = factory;
    return () => made.create();
  }

  #make(schema: unknown): Factory {
    const { vocabulary } = this;
    if (this.compile === undefined || vocabulary === undefined) {
      throw badRequest('only text is supported by this server', 'response_format');
    }
    try {
      return this.compile(schema, vocabulary);
    } catch (error) {
      const { status, message } = toApiError(error);
      throw new ApiError(status, message, { param: 'response_format', code: 'invalid_schema', cause: error });
    }
  }
}

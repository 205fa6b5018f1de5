import type { TokenConstraint } from '../engine/api.js';
import { RidgepointError } from '../errors.js';
import { SchemaCompiler } from './compile.js';
import { EMPTY, hasByte, NEVER, type Expression } from './expression.js';
import { refuse } from './schema.js';
import { TokenMasks } from './token-masks.js';
import type { TokenVocabulary } from './vocabulary.js';

export { tokenVocabulary, type TokenVocabulary } from './vocabulary.js';

/** A schema ready to constrain any number of generations. */
export interface JsonConstraint {
  /** A constraint for one generation, at the start of its text. */
  create(): TokenConstraint;
}

const masksOf = new WeakMap<TokenVocabulary, TokenMasks>();

/**
 * Makes a model write JSON that fits a schema: after each token, the ones from which such a text can still be reached.
 * Keep one `vocabulary` per tokenizer; what has been found out about its tokens stays with it. `docs/grammar.md` lists
 * what is supported of JSON Schema.
 * @param schema a JSON Schema, parsed; undefined for any JSON object
 * @throws RidgepointError ('usage') naming by JSON pointer the keyword that is not supported or contradicts another,
 *   or the byte that the vocabulary lacks to write such a text
 */
export function compileJsonConstraint(schema: unknown, vocabulary: TokenVocabulary): JsonConstraint {
  let masks = masksOf.get(vocabulary);
  if (masks === undefined) masksOf.set(vocabulary, (masks = new TokenMasks(checked(vocabulary))));
  const start = startState(masks, schema === undefined ? { type: 'object' } : schema);
  if (!start.live) {
    const byte = missingByte(start, masks.expressions.single) ?? 0;
    const name = byte > 0x20 && byte < 0x7f ? JSON.stringify(String.fromCharCode(byte)) : `0x${byte.toString(16)}`;
    throw new RidgepointError(
      'usage',
      `The tokenizer has no token for the single byte ${name}, without which text of this JSON schema cannot be written for certain; use a model whose tokenizer has all bytes.`,
    );
  }
  const found = masks;
  return { create: () => new JsonTokenConstraint(found, start) };
}

function checked(vocabulary: TokenVocabulary): TokenVocabulary {
  const { eosIds, size } = vocabulary;
  if (eosIds.length === 0 || eosIds.some((id) => !Number.isInteger(id) || id < 0 || id >= size)) {
    throw new RidgepointError(
      'usage',
      `Text of a JSON schema needs end-of-sequence ids below ${size}, found [${eosIds.join(', ')}]; name them in the model's generation_config.json.`,
    );
  }
  return vocabulary;
}

function startState(masks: TokenMasks, schema: unknown): Expression {
  try {
    return new SchemaCompiler(masks.expressions, schema).compile();
  } catch (error) {
    if (error instanceof RangeError) refuse('#', 'is nested too deeply'); // the stack's end
    throw error;
  }
}

/** A byte without a token of its own, on the only way to an end. */
function missingByte(state: Expression, single: Uint32Array, seen = new Set<Expression>()): number | undefined {
  if (seen.has(state)) return undefined;
  seen.add(state);
  switch (state.kind) {
    case 'bytes':
      return ALL_BYTES.find((byte) => hasByte(state.set, byte) && !hasByte(single, byte));
    case 'sequence':
      return missingByte(state.first.live ? state.rest : state.first, single, seen);
    case 'choice':
      return missingByte(state.items[0], single, seen);
    case 'repeat':
      return missingByte(state.item, single, seen);
    case 'group':
      return missingByte(state.inner, single, seen);
    case 'state': {
      const next = (byte: number): Expression => state.next[state.classOf[byte]];
      const missing = ALL_BYTES.find((byte) => next(byte) !== NEVER && !hasByte(single, byte));
      if (missing !== undefined) return missing;
      return ALL_BYTES.map((byte) => missingByte(next(byte), single, seen)).find((byte) => byte !== undefined);
    }
    default:
      return undefined;
  }
}

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

class JsonTokenConstraint implements TokenConstraint {
  constructor(
    private readonly masks: TokenMasks,
    private state: Expression,
  ) {}

  allowed(): Uint32Array {
    return this.masks.allowed(this.state);
  }

  accept(id: number): void {
    const next = this.isEnd(id) ? EMPTY : this.masks.after(this.state, id);
    if (next === NEVER) throw new RangeError(`token ${id} is not allowed here`);
    this.state = next;
  }

  private isEnd(id: number): boolean {
    return this.state.nullable && this.masks.vocabulary.eosIds.includes(id);
  }
}

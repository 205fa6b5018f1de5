import type { TokenConstraint } from '../engine/api.js';
import { RidgepointError } from '../errors.js';
import type { TokenVocabulary } from '../tokenizer/vocabulary.js';
import { SchemaCompiler } from './compile.js';
import { EMPTY, hasByte, NEVER, type Expression } from './expression.js';
import { refuse } from './schema.js';
import { TokenMasks } from './token-masks.js';
import { TooMuchWork, type Work } from './work.js';

/** Work that compiling a schema may take; `docs/grammar.md` has the time that is. */
const COMPILATION = 150_000;
/** Work that a constraint may take at once, and gets back with each token. */
const BURST = 100_000;
const REFILL = 5_000;

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
 *   or the byte that the vocabulary lacks to write such a text; also where keeping to the schema takes too much work,
 *   which the constraint's methods may find out only while a text is written
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
  const { expressions } = masks;
  masks.tidy();
  return affordable(expressions.work, COMPILATION, () => new SchemaCompiler(expressions, schema).compile()).value;
}

/** @throws RidgepointError ('usage') where something takes more work than it may, or more stack than there is */
function affordable<T>(work: Work, units: number, what: () => T): { readonly value: T; readonly cost: number } {
  try {
    return work.within(units, what);
  } catch (error) {
    if (!(error instanceof TooMuchWork) && !(error instanceof RangeError)) throw error;
    return refuse(
      '#',
      'takes too much work to keep to; use simpler patterns and fewer alternatives, counts and limits',
    );
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
  /** Units of work it may take at the moment. */
  private left = BURST;

  constructor(
    private readonly masks: TokenMasks,
    private state: Expression,
  ) {}

  allowed(): Uint32Array {
    return this.pay(() => this.masks.allowed(this.state));
  }

  accept(id: number): void {
    this.left = Math.min(BURST, this.left + REFILL);
    const next = this.isEnd(id) ? EMPTY : this.pay(() => this.masks.after(this.state, id));
    if (next === NEVER) throw new RangeError(`token ${id} is not allowed here`);
    this.state = next;
  }

  private pay<T>(what: () => T): T {
    const { value, cost } = affordable(this.masks.expressions.work, this.left, what);
    this.left -= cost;
    return value;
  }

  private isEnd(id: number): boolean {
    return this.state.nullable && this.masks.vocabulary.eosIds.includes(id);
  }
}

import { RidgepointError } from '../errors.js';
import type { TokenVocabulary } from '../tokenizer/vocabulary.js';
import type { ConstraintDescription } from './description.js';
import { hasByte } from './byte-set.js';
import { EMPTY, NEVER, type Expression } from './expression.js';
import type { Grammar } from './grammar.js';
import { refuse } from './located.js';
import { lowered } from './lower.js';
import { withSpecials } from './special-bytes.js';
import type { TokenConstraint } from './token-constraint.js';
import { TokenMasks } from './token-masks.js';
import { TooMuchWork, type Work } from './work.js';

/** Work that compiling a schema may take; `docs/grammar.md` has the time that is. */
const COMPILATION = 150_000;
/** Work that a constraint may take at once, and gets back with each token. */
const BURST = 100_000;
const REFILL = 5_000;

/** A grammar ready to constrain any number of generations. */
export interface TextConstraint {
  /** A constraint for one generation, at the start of its text. */
  create(): TokenConstraint;
}

export type { Grammar };

const masksOf = new WeakMap<TokenVocabulary, TokenMasks>();

/**
 * Makes a model write a text of a given form: after each token, the ones from which such a text can still be reached.
 * Keep one `vocabulary` per tokenizer; what has been found out about its tokens stays with it. `docs/grammar.md` lists
 * what is supported of JSON Schema, patterns and rules.
 * @throws RidgepointError ('usage') naming by JSON pointer the keyword of a schema that is not supported or contradicts
 *   another, what is wrong with a pattern or a rule, or the byte that the vocabulary lacks to write such a text; also
 *   where keeping to the form takes too much work, which the constraint's methods may find out only while a text is
 *   written
 */
export function compileGrammar(grammar: Grammar, vocabulary: TokenVocabulary): TextConstraint {
  let masks = masksOf.get(vocabulary);
  if (masks === undefined) masksOf.set(vocabulary, (masks = new TokenMasks(withSpecials(checked(vocabulary)))));
  const start = startState(masks, grammar);
  if (start === NEVER) throw new RidgepointError('usage', 'no text fits the form that is asked for');
  if (!start.live) {
    const byte = missingByte(start, masks.expressions.single) ?? 0;
    const name = byte > 0x20 && byte < 0x7f ? JSON.stringify(String.fromCharCode(byte)) : `0x${byte.toString(16)}`;
    const what = grammar.kind === 'json' ? 'this JSON schema' : 'this form';
    throw new RidgepointError(
      'usage',
      `the tokenizer has no token for the single byte ${name}, without which text of ${what} cannot be written for certain; use a model whose tokenizer has all bytes`,
    );
  }
  const found = masks;
  return { create: () => new MaskedConstraint(found, start, grammar) };
}

/** `compileGrammar` for JSON. @param schema a JSON Schema, parsed; undefined for any JSON object */
export function compileJsonConstraint(schema: unknown, vocabulary: TokenVocabulary): TextConstraint {
  return compileGrammar({ kind: 'json', schema }, vocabulary);
}

function checked(vocabulary: TokenVocabulary): TokenVocabulary {
  const { eosIds, size } = vocabulary;
  if (eosIds.length === 0 || eosIds.some((id) => !Number.isInteger(id) || id < 0 || id >= size)) {
    throw new RidgepointError(
      'usage',
      `text of a given form needs end-of-sequence ids below ${size}, found [${eosIds.join(', ')}]; name them in the model's generation_config.json`,
    );
  }
  return vocabulary;
}

function startState(masks: TokenMasks, grammar: Grammar): Expression {
  const { expressions } = masks;
  masks.tidy();
  return affordable(expressions.work, COMPILATION, grammar.kind, () => lowered(expressions, grammar)).value;
}

/** @throws RidgepointError ('usage') where something takes more work than it may, or more stack than there is */
function affordable<T>(
  work: Work,
  units: number,
  kind: Grammar['kind'],
  what: () => T,
): { readonly value: T; readonly cost: number } {
  try {
    return work.within(units, what);
  } catch (error) {
    if (!(error instanceof TooMuchWork) && !(error instanceof RangeError)) throw error;
    const why = 'takes too much work to keep to; use simpler patterns and fewer alternatives, counts and limits';
    if (kind === 'json') return refuse('#', why);
    throw new RidgepointError('usage', `the form that is asked for ${why}`, { cause: error });
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
    case 'within':
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

class MaskedConstraint implements TokenConstraint {
  /** Units of work it may take at the moment. */
  #left = BURST;
  readonly #masks: TokenMasks;
  #state: Expression;
  readonly #kind: Grammar['kind'];
  readonly description: ConstraintDescription;

  constructor(masks: TokenMasks, state: Expression, grammar: Grammar) {
    this.#masks = masks;
    this.#state = state;
    this.#kind = grammar.kind;
    this.description = { kind: 'grammar', grammar };
  }

  allowed(): Uint32Array {
    return this.#pay(() => this.#masks.allowed(this.#state));
  }

  accept(id: number): void {
    this.#left = Math.min(BURST, this.#left + REFILL);
    const next = this.#isEnd(id) ? EMPTY : this.#pay(() => this.#masks.after(this.#state, id));
    if (next === NEVER) throw new RangeError(`token ${id} is not allowed here`);
    this.#state = next;
  }

  #pay<T>(what: () => T): T {
    const { value, cost } = affordable(this.#masks.expressions.work, this.#left, this.#kind, what);
    this.#left -= cost;
    return value;
  }

  #isEnd(id: number): boolean {
    return this.#state.nullable && this.#masks.vocabulary.eosIds.includes(id);
  }
}

import { byteSet, hasByte } from './byte-set.js';
import { EMPTY, NEVER, type Expression, type State } from './expression.js';
import { shortestOf } from './length-bound.js';
import { Work } from './work.js';

/** Beyond so many values or tables of derivatives, all that can be computed again is forgotten. */
const MAX_INTERNED = 400_000;
const MAX_MEMOS = 20_000;
/** Work of making a table of derivatives. */
const TABLE = 4;

/** Makes expressions for one vocabulary, each only once. */
export class Expressions {
  #nextId = 2;
  #interned = new Map<string | number, Expression>();
  #memoised: Expression[] = [];
  readonly #constants = new Map<string, Expression>();
  #clamped = new Map<Expression, Expression>();
  readonly work = new Work();

  /** @param single the bytes that are a token each */
  constructor(readonly single: Uint32Array) {}

  newId(): number {
    return this.#nextId++;
  }

  /** An expression that is made once, by name. */
  constant(name: string, make: () => Expression): Expression {
    let expression = this.#constants.get(name);
    if (expression === undefined) this.#constants.set(name, (expression = make()));
    return expression;
  }

  /** Forgets what can be computed again if it has become much; true if it did. */
  tidy(): boolean {
    if (this.#interned.size < MAX_INTERNED && this.#memoised.length < MAX_MEMOS) return false;
    this.#interned = new Map();
    this.#clamped = new Map();
    for (const expression of this.#memoised) expression.memo = undefined;
    this.#memoised = [];
    return true;
  }

  bytes(set: Uint32Array): Expression {
    if (set.every((word) => word === 0)) return NEVER;
    return this.#intern(`b${set.join()}`, () => ({
      kind: 'bytes',
      id: this.newId(),
      nullable: false,
      live: set.some((word, i) => (word & this.single[i]) !== 0),
      set,
    }));
  }

  /** One byte of an inclusive range. */
  range(low: number, high: number): Expression {
    return this.bytes(byteSet([[low, high]]));
  }

  /** One of the characters of an ASCII text. */
  oneOf(ascii: string): Expression {
    return this.bytes(byteSet([...ascii].map((char) => [char.charCodeAt(0), char.charCodeAt(0)])));
  }

  /** The UTF-8 bytes of a text, one after the other. */
  text(text: string): Expression {
    return this.sequence(...Array.from(new TextEncoder().encode(text), (byte) => this.range(byte, byte)));
  }

  sequence(...parts: readonly Expression[]): Expression {
    return parts.reduceRight((rest, part) => this.#pair(part, rest), EMPTY as Expression);
  }

  #pair(first: Expression, rest: Expression): Expression {
    if (first === NEVER || rest === NEVER) return NEVER;
    if (first === EMPTY) return rest;
    if (rest === EMPTY) return first;
    const firsts: Expression[] = [];
    let last = first;
    for (; last.kind === 'sequence'; last = last.rest) firsts.push(last.first);
    firsts.push(last);
    this.work.spend(firsts.length);
    let result = rest;
    for (let i = firsts.length - 1; i >= 0; i--) result = this.#internPair(firsts[i], result);
    return result;
  }

  #internPair(first: Expression, rest: Expression): Expression {
    // A number is found faster than a string, as long as it is exact.
    const key = this.#nextId < 2 ** 26 ? first.id * 2 ** 26 + rest.id : `s${first.id},${rest.id}`;
    return this.#intern(key, () => ({
      kind: 'sequence',
      id: this.newId(),
      nullable: first.nullable && rest.nullable,
      live: first.live && rest.live,
      first,
      rest,
    }));
  }

  optional(expression: Expression): Expression {
    return this.choice(expression, EMPTY);
  }

  /**
   * Any of the expressions. What begins alike is put together (`ab|ac` is `a(b|c)`) and what ends alike (`ac|bc` is
   * `(a|b)c`), which keeps the automaton deterministic where the grammar allows it.
   */
  choice(...expressions: readonly Expression[]): Expression {
    const set = new Uint32Array(8);
    const grouped: Expression[] = [];
    const byFirst = new Map<Expression, Expression[]>();
    const others = new Set<Expression>();
    let added = 0;
    const add = (expression: Expression): void => {
      added++;
      if (expression.kind === 'choice') expression.items.forEach(add);
      else if (expression.kind === 'bytes') expression.set.forEach((word, i) => (set[i] |= word));
      else if (expression.kind === 'group') grouped.push(expression.inner);
      else if (expression.kind === 'sequence') {
        const rests = byFirst.get(expression.first);
        if (rests === undefined) byFirst.set(expression.first, [expression.rest]);
        else rests.push(expression.rest);
      } else if (expression !== NEVER) others.add(expression);
    };
    expressions.forEach(add);
    this.work.spend(added);
    const bytes = this.bytes(set);
    if (bytes !== NEVER) others.add(bytes);
    if (grouped.length > 0) others.add(this.group(this.choice(...grouped)));

    const byRest = new Map<Expression, Expression[]>();
    for (const [first, rests] of byFirst) {
      const rest = rests.length === 1 ? rests[0] : this.choice(...rests);
      const firsts = byRest.get(rest);
      if (firsts === undefined) byRest.set(rest, [first]);
      else firsts.push(first);
    }
    let again = false;
    for (const [rest, firsts] of byRest) {
      const first = firsts.length === 1 ? firsts[0] : this.choice(...firsts);
      // Joined firsts may be the first of another sequence, or a choice that a sequence was made of.
      again ||= firsts.length > 1 && byFirst.has(first);
      others.add(this.#pair(first, rest));
    }
    if (again) return this.choice(...others);

    const items = [...others].sort((a, b) => a.id - b.id);
    if (items.length === 0) return NEVER;
    if (items.length === 1) return items[0];
    return this.#intern(`c${items.map(({ id }) => id).join()}`, () => ({
      kind: 'choice',
      id: this.newId(),
      nullable: items.some(({ nullable }) => nullable),
      live: items.some(({ live }) => live),
      items,
    }));
  }

  repeat(item: Expression, min: number, max: number): Expression {
    if (max < min) return NEVER;
    if (item === NEVER) return min === 0 ? EMPTY : NEVER;
    if (max === 0 || item === EMPTY) return EMPTY;
    if (item.nullable) min = 0;
    if (min === 1 && max === 1) return item;
    return this.#intern(`r${item.id},${min},${max}`, () => ({
      kind: 'repeat',
      id: this.newId(),
      nullable: min === 0,
      live: min === 0 || item.live,
      item,
      min,
      max,
    }));
  }

  group(inner: Expression): Expression {
    if (inner === NEVER || inner === EMPTY || inner.kind === 'group') return inner;
    return this.#intern(`g${inner.id}`, () => ({
      kind: 'group',
      id: this.newId(),
      nullable: inner.nullable,
      live: inner.live,
      inner,
    }));
  }

  /** Texts of an automaton that have at most `most` bytes. */
  within(inner: Expression, most: number): Expression {
    if (inner === NEVER || shortestOf(inner) > most) return NEVER;
    if (inner === EMPTY) return EMPTY;
    const make = (): Expression => {
      const { nullable, live } = inner;
      return { kind: 'within', id: this.newId(), nullable, live, inner, most };
    };
    return this.#intern(`w${inner.id},${most}`, make);
  }

  derive(expression: Expression, byte: number): Expression {
    if (expression.kind === 'state') return expression.next[expression.classOf[byte]];
    let memo = expression.memo;
    if (memo === undefined) {
      this.work.spend(TABLE);
      memo = expression.memo = new Array<Expression | undefined>(256);
      this.#memoised.push(expression);
    }
    let derivative = memo[byte];
    if (derivative === undefined) {
      this.work.spend(1);
      memo[byte] = derivative = this.#derivative(expression, byte);
    }
    return derivative;
  }

  #derivative(expression: Exclude<Expression, State>, byte: number): Expression {
    switch (expression.kind) {
      case 'never':
      case 'empty':
        return NEVER;
      case 'bytes':
        return hasByte(expression.set, byte) ? EMPTY : NEVER;
      case 'sequence': {
        const after = this.#pair(this.derive(expression.first, byte), expression.rest);
        return expression.first.nullable ? this.choice(after, this.derive(expression.rest, byte)) : after;
      }
      case 'choice': {
        const after: Expression[] = [];
        for (const item of expression.items) {
          const one = this.derive(item, byte);
          if (one !== NEVER) after.push(one);
        }
        return after.length === 1 ? after[0] : this.choice(...after);
      }
      case 'repeat': {
        const one = this.derive(expression.item, byte);
        if (one === NEVER) return NEVER;
        return this.#pair(one, this.repeat(expression.item, Math.max(0, expression.min - 1), expression.max - 1));
      }
      case 'group':
        return this.group(this.derive(expression.inner, byte));
      case 'within':
        return this.within(this.derive(expression.inner, byte), expression.most - 1);
    }
  }

  /**
   * An expression that agrees with this one on the first `length` bytes of a text, and is the same for all counts too
   * far from their limits to matter: a string of at most 900 more characters is one of at most 800 more to a token.
   */
  clamp(expression: Expression, length: number): Expression {
    const known = this.#clamped.get(expression);
    if (known !== undefined) return known;
    let result = expression;
    switch (expression.kind) {
      case 'sequence':
        result = this.#pair(this.clamp(expression.first, length), this.clamp(expression.rest, length));
        break;
      case 'choice':
        result = this.choice(...expression.items.map((item) => this.clamp(item, length)));
        break;
      case 'group':
        result = this.group(this.clamp(expression.inner, length));
        break;
      case 'repeat': {
        const { item, min, max } = expression;
        if (!item.nullable && max > length + 1) result = this.repeat(item, Math.min(min, length + 1), Infinity);
        break;
      }
    }
    this.#clamped.set(expression, result);
    return result;
  }

  #intern(key: string | number, make: () => Expression): Expression {
    let expression = this.#interned.get(key);
    if (expression === undefined) {
      this.work.spend(1);
      this.#interned.set(key, (expression = make()));
    }
    return expression;
  }
}

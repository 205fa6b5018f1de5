import { TemplateSyntaxError, type Token } from './lex.js';
import type { Args, Expr } from './syntax.js';
import { Float } from './values.js';

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const NO_ARGS: Args = { positional: [], named: [] };
const CONSTANTS: Readonly<Record<string, boolean | null>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
};

/** Reads expressions, with Jinja's precedences. */
export class ExpressionParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#at];
  }

  fail(message: string, line = this.token.line): never {
    throw new TemplateSyntaxError(message, line);
  }

  next(): Token {
    const { token } = this;
    if (token.type !== 'eof') this.#at++;
    return token;
  }

  is(type: Token['type'], ...values: readonly string[]): boolean {
    const { token } = this;
    return token.type === type && (values.length === 0 || values.includes(token.value));
  }

  skip(type: Token['type'], value: string): boolean {
    if (!this.is(type, value)) return false;
    this.next();
    return true;
  }

  expect(type: Token['type'], value?: string): Token {
    if (this.is(type, ...(value === undefined ? [] : [value]))) return this.next();
    const found = this.token.type === 'eof' ? 'the end' : `"${this.token.value}"`;
    return this.fail(`expected ${value === undefined ? `a ${type}` : `"${value}"`}, found ${found}`);
  }

  #isNext(type: Token['type'], value: string): boolean {
    const next = this.#tokens[this.#at + 1] as Token | undefined;
    return next?.type === type && next.value === value;
  }

  /** One expression, or several with commas between as a tuple. */
  tuple(read = (): Expr => this.expression()): Expr {
    const first = read();
    if (!this.is('operator', ',')) return first;
    const items = [first];
    while (this.skip('operator', ',')) {
      if (this.is('end') || this.is('operator', ')', ']', '}', '=') || this.is('name', 'in')) break;
      items.push(read());
    }
    return { type: 'tuple', items };
  }

  expression(): Expr {
    let value = this.#or();
    while (this.skip('name', 'if')) {
      const test = this.#or();
      const no = this.skip('name', 'else') ? this.expression() : undefined;
      value = { type: 'cond', test, yes: value, no };
    }
    return value;
  }

  /** An expression that is followed by `if`. */
  unconditional(): Expr {
    return this.#or();
  }

  #left(read: () => Expr, isOperator: () => boolean): Expr {
    let left = read();
    while (isOperator()) left = { type: 'binary', op: this.next().value, left, right: read() };
    return left;
  }

  #or(): Expr {
    return this.#left(() => this.#and(), () => this.is('name', 'or')); // prettier-ignore
  }

  #and(): Expr {
    return this.#left(() => this.#not(), () => this.is('name', 'and')); // prettier-ignore
  }

  #not(): Expr {
    return this.skip('name', 'not') ? { type: 'unary', op: 'not', operand: this.#not() } : this.#order();
  }

  #order(): Expr {
    const first = this.#sum();
    const rest: [string, Expr][] = [];
    for (;;) {
      if (this.is('operator', ...COMPARISONS)) rest.push([this.next().value, this.#sum()]);
      else if (this.skip('name', 'in')) rest.push(['in', this.#sum()]);
      else if (this.is('name', 'not') && this.#isNext('name', 'in')) {
        this.next();
        this.next();
        rest.push(['not in', this.#sum()]);
      } else return rest.length === 0 ? first : { type: 'compare', first, rest };
    }
  }

  #sum(): Expr {
    return this.#left(() => this.#joined(), () => this.is('operator', '+', '-')); // prettier-ignore
  }

  #joined(): Expr {
    return this.#left(() => this.#product(), () => this.is('operator', '~')); // prettier-ignore
  }

  #product(): Expr {
    return this.#left(() => this.#power(), () => this.is('operator', '*', '/', '//', '%')); // prettier-ignore
  }

  #power(): Expr {
    return this.#left(() => this.#unary(true), () => this.is('operator', '**')); // prettier-ignore
  }

  #unary(filtered: boolean): Expr {
    let value: Expr;
    if (this.is('operator', '-', '+')) {
      value = { type: 'unary', op: this.next().value as '-' | '+', operand: this.#unary(false) };
    } else value = this.primary();
    value = this.postfix(value);
    return filtered ? this.filters(value) : value;
  }

  primary(): Expr {
    const { type, value, line } = this.next();
    if (type === 'name') return value in CONSTANTS ? { type: 'const', value: CONSTANTS[value] } : { type: 'name', name: value }; // prettier-ignore
    if (type === 'string') {
      let text = unescaped(value);
      while (this.is('string')) text += unescaped(this.next().value);
      return { type: 'const', value: text };
    }
    if (type === 'integer') return { type: 'const', value: Number(value.replaceAll('_', '')) };
    if (type === 'float') return { type: 'const', value: new Float(Number(value.replaceAll('_', ''))) };
    if (type === 'operator' && value === '(') return this.#parenthesis();
    if (type === 'operator' && value === '[') return { type: 'list', items: this.#items(']') };
    if (type === 'operator' && value === '{') return this.#dictionary();
    return this.fail(type === 'end' || type === 'eof' ? 'an expression is missing' : `"${value}" is unexpected`, line);
  }

  #parenthesis(): Expr {
    if (this.skip('operator', ')')) return { type: 'tuple', items: [] };
    const value = this.tuple();
    this.expect('operator', ')');
    return value;
  }

  #items(close: string): Expr[] {
    const items: Expr[] = [];
    while (!this.skip('operator', close)) {
      if (items.length > 0) this.expect('operator', ',');
      if (this.skip('operator', close)) break;
      items.push(this.expression());
    }
    return items;
  }

  #dictionary(): Expr {
    const entries: [Expr, Expr][] = [];
    while (!this.skip('operator', '}')) {
      if (entries.length > 0) this.expect('operator', ',');
      if (this.skip('operator', '}')) break;
      const key = this.expression();
      this.expect('operator', ':');
      entries.push([key, this.expression()]);
    }
    return { type: 'dict', entries };
  }

  /** Attributes, indices and calls behind a value. */
  postfix(of: Expr): Expr {
    for (;;) {
      if (this.skip('operator', '.')) {
        const { type, value } = this.next();
        if (type === 'name') of = { type: 'attr', of, name: value };
        else if (type === 'integer') of = { type: 'item', of, index: { type: 'const', value: Number(value) } };
        else this.fail('a name is missing behind the dot');
      } else if (this.skip('operator', '[')) of = { type: 'item', of, index: this.#index() };
      else if (this.is('operator', '(')) of = { type: 'call', callee: of, args: this.args() };
      else return of;
    }
  }

  #index(): Expr {
    const items: Expr[] = [];
    do items.push(this.#subscript());
    while (this.skip('operator', ','));
    this.expect('operator', ']');
    return items.length === 1 ? items[0] : { type: 'tuple', items };
  }

  #subscript(): Expr {
    const bounds: (Expr | undefined)[] = [];
    for (;;) {
      bounds.push(this.is('operator', ':', ']', ',') ? undefined : this.expression());
      if (!this.skip('operator', ':')) break;
    }
    if (bounds.length > 3 || (bounds.length === 1 && bounds[0] === undefined)) this.fail('an index is malformed');
    return bounds.length === 1 ? bounds[0]! : { type: 'slice', bounds };
  }

  args(): Args {
    this.expect('operator', '(');
    const positional: Expr[] = [];
    const named: [string, Expr][] = [];
    let [spread, spreadNamed]: (Expr | undefined)[] = [];
    for (let first = true; !this.skip('operator', ')'); first = false) {
      if (!first) this.expect('operator', ',');
      if (this.skip('operator', ')')) break;
      if (this.skip('operator', '*')) spread = this.expression();
      else if (this.skip('operator', '**')) spreadNamed = this.expression();
      else if (this.is('name') && this.#isNext('operator', '=')) {
        const name = this.next().value;
        this.next();
        named.push([name, this.expression()]);
      } else positional.push(this.expression());
    }
    return { positional, named, spread, spreadNamed };
  }

  #dotted(): string {
    let name = this.expect('name').value;
    while (this.skip('operator', '.')) name += `.${this.expect('name').value}`;
    return name;
  }

  /** Filters, tests and calls behind a value. */
  filters(of: Expr): Expr {
    for (;;) {
      if (this.skip('operator', '|')) of = this.filter(of);
      else if (this.skip('name', 'is')) of = this.#test(of);
      else if (this.is('operator', '(')) of = { type: 'call', callee: of, args: this.args() };
      else return of;
    }
  }

  filter(of: Expr): Expr {
    const name = this.#dotted();
    return { type: 'filter', of, name, args: this.is('operator', '(') ? this.args() : NO_ARGS };
  }

  #test(of: Expr): Expr {
    const negated = this.skip('name', 'not');
    const name = this.#dotted();
    let args = NO_ARGS;
    if (this.is('operator', '(')) args = this.args();
    else if (this.#beginsArgument()) args = { positional: [this.postfix(this.primary())], named: [] };
    const test: Expr = { type: 'test', of, name, args };
    return negated ? { type: 'unary', op: 'not', operand: test } : test;
  }

  #beginsArgument(): boolean {
    if (this.is('name', 'is')) this.fail('two tests stand in a row');
    if (this.is('name', 'else', 'or', 'and', 'if', 'in', 'not')) return false;
    return ['name', 'string', 'integer', 'float'].includes(this.token.type) || this.is('operator', '[', '{');
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"', '\n': '' },
};

/** A string's text, of its source with the quotes; Python's escapes, and what is none stays as it is. */
function unescaped(source: string): string {
  return source
    .slice(1, -1)
    .replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g, (all, ...found) => {
      const [x, u, U, octal, letter] = found as (string | undefined)[];
      const hex = x ?? u ?? U;
      if (hex !== undefined) return parseInt(hex, 16) > 0x10ffff ? all : String.fromCodePoint(parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      return ESCAPES[letter!] ?? all;
    });
}

import { lex } from './lex.js';
import { ExpressionParser } from './parse-expression.js';
import { CAPTURED, type Body, type Expr, type Param, type Statement } from './syntax.js';

const captured: Expr = { type: 'name', name: CAPTURED };
/** Only what stands inside them counts here. */
const GROUPS = ['generation', 'block', 'autoescape'];

/** Reads the statements of a template. */
class Parser {
  readonly #in: ExpressionParser;
  #loops = 0;

  constructor(source: string) {
    this.#in = new ExpressionParser(lex(source));
  }

  run(): Body {
    const body = this.#until();
    if (!this.#in.is('eof')) this.#in.fail(`"${this.#in.token.value}" is unexpected`);
    return body;
  }

  /** Statements up to one of these tags, whose name is read next, or to the end where none is given. */
  #until(...ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    const { token } = this.#in;
    while (!this.#in.is('eof')) {
      if (this.#in.is('text')) body.push({ type: 'text', text: this.#in.next().value });
      else if (this.#in.skip('begin', '{{')) {
        body.push({ type: 'print', value: this.#in.tuple() });
        this.#in.expect('end');
      } else {
        this.#in.expect('begin', '{%');
        if (this.#in.is('name', ...ends) && ends.length > 0) return body;
        body.push(this.#statement());
      }
    }
    if (ends.length > 0) this.#in.fail(`"${ends.at(-1)}" is missing`, token.line);
    return body;
  }

  #statement(): Statement {
    const { value: name, line } = this.#in.expect('name');
    if (name === 'for') return this.#for();
    if (name === 'if') return this.#if();
    if (name === 'set') return this.#set();
    if (name === 'macro') return this.#macro();
    if (name === 'call') return this.#call();
    if (name === 'filter') return this.#filter();
    if (name === 'with') return this.#with();
    if (GROUPS.includes(name)) {
      while (!this.#in.is('end')) this.#in.next();
      return { type: 'group', body: this.#block(`end${name}`) };
    }
    if ((name === 'break' || name === 'continue') && this.#loops > 0) {
      this.#in.expect('end');
      return { type: name };
    }
    return this.#in.fail(`the tag "${name}" is unknown`, line);
  }

  /** The rest of a tag and what stands up to its end, the end's tag included. */
  #block(end: string): Statement[] {
    this.#in.expect('end');
    const body = this.#until(end);
    this.#in.next();
    if (end === 'endblock' && this.#in.is('name')) this.#in.next();
    this.#in.expect('end');
    return body;
  }

  #for(): Statement {
    const target = this.#in.tuple(() => this.#in.postfix(this.#in.primary()));
    this.#in.expect('name', 'in');
    const over = this.#in.tuple(() => this.#in.unconditional());
    const only = this.#in.skip('name', 'if') ? this.#in.expression() : undefined;
    const recursive = this.#in.skip('name', 'recursive');
    this.#in.expect('end');
    this.#loops++;
    const body = this.#until('endfor', 'else');
    this.#loops--;
    let otherwise: Statement[] = [];
    if (this.#in.next().value === 'else') otherwise = this.#block('endfor');
    else this.#in.expect('end');
    return { type: 'for', target, over, only, recursive, body, otherwise };
  }

  #if(): Statement {
    const branches: [Expr, Body][] = [];
    let otherwise: Statement[] = [];
    for (let tag = 'if'; tag !== 'endif';) {
      if (tag === 'else') otherwise = this.#block('endif');
      if (tag === 'else') break;
      const test = this.#in.tuple();
      this.#in.expect('end');
      branches.push([test, this.#until('elif', 'else', 'endif')]);
      tag = this.#in.next().value;
      if (tag === 'endif') this.#in.expect('end');
    }
    return { type: 'if', branches, otherwise };
  }

  #set(): Statement {
    const target = this.#in.tuple(() => this.#in.postfix(this.#in.primary()));
    const isPlace = (place: Expr): boolean =>
      place.type === 'name' ||
      (place.type === 'attr' && place.of.type === 'name') ||
      (place.type === 'tuple' && place.items.every(isPlace));
    if (!isPlace(target)) this.#in.fail('nothing can be set to what stands there');
    if (this.#in.skip('operator', '=')) {
      const value = this.#in.tuple();
      this.#in.expect('end');
      return { type: 'set', target, value };
    }
    const value = this.#in.filters(captured);
    return { type: 'capture', target, value, body: this.#block('endset') };
  }

  #params(): Param[] {
    const params: Param[] = [];
    this.#in.expect('operator', '(');
    while (!this.#in.skip('operator', ')')) {
      if (params.length > 0) this.#in.expect('operator', ',');
      const { value: name } = this.#in.expect('name');
      params.push([name, this.#in.skip('operator', '=') ? this.#in.expression() : undefined]);
    }
    return params;
  }

  #macro(): Statement {
    const { value: name } = this.#in.expect('name');
    const params = this.#params();
    return { type: 'macro', name, params, body: this.#block('endmacro') };
  }

  #call(): Statement {
    const params = this.#in.is('operator', '(') ? this.#params() : [];
    const call = this.#in.expression();
    if (call.type !== 'call') this.#in.fail('a call is missing');
    return { type: 'call', params, call, body: this.#block('endcall') };
  }

  #filter(): Statement {
    const value = this.#in.filters(this.#in.filter(captured));
    return { type: 'capture', target: undefined, value, body: this.#block('endfilter') };
  }

  #with(): Statement {
    const values: [Expr, Expr][] = [];
    while (!this.#in.is('end')) {
      if (values.length > 0) this.#in.expect('operator', ',');
      const target = this.#in.primary();
      this.#in.expect('operator', '=');
      values.push([target, this.#in.expression()]);
    }
    return { type: 'with', values, body: this.#block('endwith') };
  }
}

/** @throws TemplateSyntaxError */
export const parse = (source: string): Body => new Parser(source).run();

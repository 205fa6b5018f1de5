import { Evaluator } from './evaluate.js';
import { RenderLimits } from './limits.js';
import { loopOver } from './loop.js';
import { Scope } from './scope.js';
import { CAPTURED, type Body, type Expr, type ForStatement, type MacroStatement, type Param, type Statement } from './syntax.js'; // prettier-ignore
import {
  Namespace,
  Undefined,
  fail,
  fromJs,
  isTrue,
  itemsOf,
  nothingMade,
  tupleOf,
  type Callable,
  type Named,
} from './values.js';
import { written } from './writing.js';
import { globals } from './globals.js';

/** How a run of statements ended. */
type Ending = 'break' | 'continue' | undefined;

/** One rendering of a template. */
class Renderer {
  readonly #limits = new RenderLimits();
  readonly #evaluator = new Evaluator(this.#limits);
  #out: string[] = [];

  render(body: Body, variables: Readonly<Record<string, unknown>>): string {
    const scope = new Scope();
    for (const [name, value] of Object.entries(globals(this.#limits))) scope.set(name, value);
    for (const [name, value] of Object.entries(variables)) if (value !== undefined) scope.set(name, fromJs(value));
    this.#run(body, scope);
    return this.#out.join('');
  }

  #write(text: string): void {
    this.#limits.write(text);
    this.#out.push(text);
  }

  /** The text that statements write. */
  #capture(body: Body, scope: Scope): string {
    const outer = this.#out;
    this.#out = [];
    try {
      this.#run(body, scope);
      return this.#out.join('');
    } finally {
      this.#out = outer;
    }
  }

  #run(body: Body, scope: Scope): Ending {
    for (const statement of body) {
      const ending = this.#statement(statement, scope);
      if (ending !== undefined) return ending;
    }
    return undefined;
  }

  #value(expr: Expr, scope: Scope): unknown {
    return this.#evaluator.value(expr, scope);
  }

  #statement(statement: Statement, scope: Scope): Ending {
    this.#limits.step();
    switch (statement.type) {
      case 'text':
        return this.#write(statement.text) as undefined;
      case 'print':
        return this.#write(written(this.#value(statement.value, scope))) as undefined;
      case 'if': {
        const branch = statement.branches.find(([test]) => isTrue(this.#value(test, scope)));
        return this.#run(branch?.[1] ?? statement.otherwise, scope);
      }
      case 'for':
        return this.#for(statement, scope) as undefined;
      case 'set':
        return this.#assign(statement.target, this.#value(statement.value, scope), scope) as undefined;
      case 'capture':
        return this.#filtered(statement, scope) as undefined;
      case 'macro':
        return scope.set(statement.name, this.#macro(statement, scope)) as undefined;
      case 'call':
        return this.#call(statement, scope) as undefined;
      case 'with':
        return this.#with(statement, scope);
      case 'group':
        return this.#run(statement.body, scope);
      default:
        return statement.type;
    }
  }

  #assign(target: Expr, value: unknown, scope: Scope): void {
    if (target.type === 'name') return scope.set(target.name, value);
    if (target.type === 'attr') {
      const space = this.#value(target.of, scope);
      if (!(space instanceof Namespace)) fail('cannot assign attribute on non-namespace object');
      return void space.values.set(target.name, value);
    }
    const places = (target as { readonly items: readonly Expr[] }).items;
    const items = itemsOf(value);
    if (items.length !== places.length) fail(`${places.length} values are expected, and ${items.length} are there`);
    for (const [i, place] of places.entries()) this.#assign(place, items[i], scope);
  }

  #filtered({ target, value, body }: Statement & { type: 'capture' }, scope: Scope): void {
    const inner = new Scope(scope);
    const text = this.#capture(body, new Scope(scope));
    inner.set(CAPTURED, text);
    const filtered = this.#value(value, inner);
    if (target === undefined) this.#write(written(filtered));
    else this.#assign(target, filtered, scope);
  }

  #with({ values, body }: Statement & { type: 'with' }, scope: Scope): Ending {
    const inner = new Scope(scope);
    for (const [target, value] of values) this.#assign(target, this.#value(value, scope), inner);
    return this.#run(body, inner);
  }

  #for(statement: ForStatement, scope: Scope, over = this.#value(statement.over, scope), depth = 0): void {
    const { target, only, recursive, body, otherwise } = statement;
    let items = itemsOf(over);
    if (only !== undefined) {
      items = items.filter((item) => {
        const inner = new Scope(scope);
        this.#assign(target, item, inner);
        return isTrue(this.#value(only, inner));
      });
    }
    if (items.length === 0) return void this.#run(otherwise, scope);
    const deeper: Callable = ([inner]) => this.#captureLoop(statement, scope, inner, depth + 1);
    const loop = loopOver(items, depth, recursive ? deeper : undefined);
    for (const item of items) {
      this.#limits.step(); // a loop may do nothing, and that for ever
      const inner = new Scope(scope);
      loop.next();
      inner.set('loop', loop);
      this.#assign(target, item, inner);
      if (this.#run(body, inner) === 'break') break;
    }
  }

  #captureLoop(statement: ForStatement, scope: Scope, over: unknown, depth: number): string {
    const outer = this.#out;
    this.#out = [];
    try {
      this.#for(statement, scope, over, depth);
      return this.#out.join('');
    } finally {
      this.#out = outer;
    }
  }

  #macro({ name, params, body }: Pick<MacroStatement, 'name' | 'params' | 'body'>, scope: Scope): Callable {
    return (args, named) => {
      const inner = new Scope(scope);
      const rest = new Map(named);
      for (const [i, [param, fallback]] of params.entries()) {
        inner.set(param, this.#argument([param, fallback], args[i] ?? rest.get(param), inner));
        rest.delete(param);
      }
      const caller = rest.get('caller');
      if (caller !== undefined) inner.set('caller', caller);
      rest.delete('caller');
      const usesAll = args.length <= params.length || JSON.stringify(body).includes('"varargs"');
      if (!usesAll) fail(`macro '${name}' takes not more than ${params.length} argument(s)`);
      inner.set('varargs', tupleOf(args.slice(params.length)));
      inner.set('kwargs', rest);
      return this.#capture(body, inner);
    };
  }

  #argument([name, fallback]: Param, given: unknown, scope: Scope): unknown {
    if (given !== undefined) return given;
    if (fallback !== undefined) return this.#value(fallback, scope);
    return new Undefined(`parameter '${name}' was not provided`);
  }

  #call({ params, call, body }: Statement & { type: 'call' }, scope: Scope): void {
    const { callee, args } = call as Expr & { type: 'call' };
    const caller = this.#macro({ name: 'caller', params, body }, scope);
    const [positional, named] = this.#evaluator.args(args, scope);
    const all: Named = new Map([...named, ['caller', caller]]);
    this.#write(written(this.#evaluator.call(this.#value(callee, scope), positional, all)));
  }
}

/** @throws TemplateError in the template's words or Python's; RangeError where it asks for more than is allowed */
export function render(body: Body, variables: Readonly<Record<string, unknown>>): string {
  nothingMade();
  return new Renderer().render(body, variables);
}

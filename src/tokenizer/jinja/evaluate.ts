import { attributeOf, itemOf, sliceOf } from './attributes.js';
import { FILTERS, Given, type FilterRun } from './filters.js';
import type { RenderLimits } from './limits.js';
import { binary, comparison, unary } from './operators.js';
import type { Scope } from './scope.js';
import type { Args, Expr } from './syntax.js';
import { TESTS } from './tests.js';
import { Undefined, fail, isTrue, itemsOf, keyOf, typeOf, tupleOf, type Callable, type Named } from './values.js';
import { written } from './writing.js';

const NOTHING: Named = new Map();

/** Works out expressions. */
export class Evaluator implements FilterRun {
  readonly #limits: RenderLimits;

  constructor(limits: RenderLimits) {
    this.#limits = limits;
  }

  value(expr: Expr, scope: Scope): unknown {
    this.#limits.step();
    switch (expr.type) {
      case 'const':
        return expr.value;
      case 'name':
        return scope.get(expr.name);
      case 'list':
        return this.#values(expr.items, scope);
      case 'tuple':
        return tupleOf(this.#values(expr.items, scope));
      case 'dict':
        return new Map(expr.entries.map(([key, value]) => [keyOf(this.value(key, scope)), this.value(value, scope)]));
      case 'unary':
        return unary(expr.op, this.value(expr.operand, scope));
      case 'binary':
        return this.#binary(expr, scope);
      case 'compare':
        return this.#order(expr, scope);
      case 'cond':
        return this.#cond(expr, scope);
      case 'attr':
        return attributeOf(this.value(expr.of, scope), expr.name);
      case 'item':
        return this.#item(expr, scope);
      case 'call':
        return this.call(this.value(expr.callee, scope), ...this.args(expr.args, scope));
      case 'filter':
        return this.filter(expr.name, this.value(expr.of, scope), ...this.args(expr.args, scope));
      case 'test':
        return this.test(expr.name, this.value(expr.of, scope), this.args(expr.args, scope)[0]);
      default:
        return fail('a slice stands where none can be');
    }
  }

  #values(items: readonly Expr[], scope: Scope): unknown[] {
    return items.map((item) => this.value(item, scope));
  }

  #binary({ op, left, right }: Expr & { type: 'binary' }, scope: Scope): unknown {
    const value = this.value(left, scope);
    if (op === 'and') return isTrue(value) ? this.value(right, scope) : value;
    if (op === 'or') return isTrue(value) ? value : this.value(right, scope);
    return binary(op, value, this.value(right, scope));
  }

  #order({ first, rest }: Expr & { type: 'compare' }, scope: Scope): boolean {
    let left = this.value(first, scope);
    return rest.every(([op, expr]) => {
      const right = this.value(expr, scope);
      const holds = comparison(op, left, right);
      left = right;
      return holds;
    });
  }

  #cond({ test, yes, no }: Expr & { type: 'cond' }, scope: Scope): unknown {
    if (isTrue(this.value(test, scope))) return this.value(yes, scope);
    if (no !== undefined) return this.value(no, scope);
    return new Undefined('the inline if-expression evaluated to false and no else section was defined');
  }

  #item({ of, index }: Expr & { type: 'item' }, scope: Scope): unknown {
    const value = this.value(of, scope);
    if (index.type !== 'slice') return itemOf(value, this.value(index, scope));
    return sliceOf(
      value,
      index.bounds.map((bound) => bound && this.value(bound, scope)),
    );
  }

  /** Arguments by place and by name. */
  args({ positional, named, spread, spreadNamed }: Args, scope: Scope): [readonly unknown[], Named] {
    const values = this.#values(positional, scope);
    if (spread !== undefined) values.push(...itemsOf(this.value(spread, scope)));
    if (named.length === 0 && spreadNamed === undefined) return [values, NOTHING];
    const all = new Map(named.map(([name, expr]) => [name, this.value(expr, scope)]));
    const more = spreadNamed && this.value(spreadNamed, scope);
    if (more instanceof Map) for (const [name, value] of more) all.set(written(name), value);
    return [values, all];
  }

  call(callee: unknown, args: readonly unknown[], named: Named): unknown {
    if (typeof callee === 'function') return (callee as Callable)(args, named);
    if (callee instanceof Undefined) fail(callee.reason);
    const inner = (callee as { call?: Callable } | null)?.call;
    return inner === undefined ? fail(`'${typeOf(callee)}' object is not callable`) : inner(args, named);
  }

  filter(name: string, value: unknown, args: readonly unknown[], named: Named): unknown {
    this.#limits.step();
    if (!Object.hasOwn(FILTERS, name)) fail(`no filter is named "${name}"`);
    return FILTERS[name](value, new Given(args, named), this);
  }

  test(name: string, value: unknown, args: readonly unknown[]): boolean {
    this.#limits.step();
    // Tests may be called by their signs too: selectattr('role', '==', 'user').
    if (Object.hasOwn(TESTS, name)) return TESTS[name](value, args[0]);
    if (['==', '!=', '<', '<=', '>', '>='].includes(name)) return comparison(name, value, args[0]);
    if (name === 'filter' || name === 'test') return Object.hasOwn(name === 'test' ? TESTS : FILTERS, written(value));
    return fail(`no test is named "${name}"`);
  }
}

import { percentFormat } from './formats.js';
import {
  Float,
  Tuple,
  Undefined,
  bounded,
  order,
  contains,
  equals,
  fail,
  isTrue,
  numberOf,
  typeOf,
  tupleOf,
} from './values.js';
import { written } from './writing.js';

const isFloat = (value: unknown): boolean => value instanceof Float;

/** Half of what a division leaves decides nothing here: Python's signs, not JavaScript's. */
const floor = (a: number, b: number): number => Math.floor(a / b);
const modulo = (a: number, b: number): number => a - b * Math.floor(a / b);

const NUMBERS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '//': floor,
  '%': modulo,
  '**': (a, b) => a ** b,
};

function repeated(value: unknown, times: unknown): unknown {
  if (typeof times !== 'number' && typeof times !== 'boolean') return undefined;
  const count = Math.max(0, Number(times));
  if (typeof value === 'string') {
    bounded(value.length * count);
    return value.repeat(count);
  }
  if (!Array.isArray(value)) return undefined;
  bounded(value.length * count);
  const all = Array.from({ length: count }, () => value as unknown[]).flat();
  return value instanceof Tuple ? tupleOf(all) : all;
}

function sum(a: unknown, b: unknown): unknown {
  if (typeof a === 'string' && typeof b === 'string') {
    bounded(a.length + b.length);
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) bounded(a.length + b.length);
  if (a instanceof Tuple && b instanceof Tuple) return tupleOf([...a, ...b]);
  const lists = Array.isArray(a) && Array.isArray(b) && a instanceof Tuple === b instanceof Tuple;
  return lists ? [...(a as unknown[]), ...(b as unknown[])] : undefined;
}

/** `a op b` of all operators but `and` and `or`. @throws TemplateError as Python would raise one */
export function binary(op: string, a: unknown, b: unknown): unknown {
  if (op === '~') {
    const [left, right] = [written(a), written(b)];
    bounded(left.length + right.length);
    return left + right;
  }
  for (const side of [a, b]) if (side instanceof Undefined) fail(side.reason);
  if (op === '%' && typeof a === 'string') return percentFormat(a, b);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) {
    if (y === 0 && ['/', '//', '%'].includes(op)) fail('division by zero');
    const value = NUMBERS[op](x, y);
    const isReal = op === '/' || isFloat(a) || isFloat(b) || (op === '**' && y < 0);
    return isReal ? new Float(value) : value;
  }
  const other = op === '+' ? sum(a, b) : op === '*' ? (repeated(a, b) ?? repeated(b, a)) : undefined;
  return other ?? fail(`unsupported operand type(s) for ${op}: '${typeOf(a)}' and '${typeOf(b)}'`);
}

export function unary(op: 'not' | '-' | '+', value: unknown): unknown {
  if (op === 'not') return !isTrue(value);
  if (value instanceof Undefined) fail(value.reason);
  const number = numberOf(value) ?? fail(`bad operand type for unary ${op}: '${typeOf(value)}'`);
  const signed = op === '-' && number !== 0 ? -number : number;
  return value instanceof Float ? new Float(signed) : signed;
}

export function comparison(op: string, a: unknown, b: unknown): boolean {
  if (op === '==') return equals(a, b);
  if (op === '!=') return !equals(a, b);
  if (op === 'in') return contains(b, a);
  if (op === 'not in') return !contains(b, a);
  for (const side of [a, b]) if (side instanceof Undefined) fail(side.reason);
  const sign = order(a, b, op);
  if (op === '<') return sign < 0;
  if (op === '<=') return sign <= 0;
  return op === '>' ? sign > 0 : sign >= 0;
}

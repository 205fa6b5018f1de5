import { comparison } from './operators.js';
import { Float, Generator, Undefined, contains, equals, fail, numberOf, typeOf } from './values.js';
import { written } from './writing.js';

export type Test = (value: unknown, other: unknown) => boolean;

const compared =
  (...ops: readonly string[]) =>
  (op: string): Record<string, Test> =>
    Object.fromEntries(ops.map((name) => [name, (value: unknown, other: unknown) => comparison(op, value, other)]));
const rest = (value: unknown, by: unknown): number => {
  if (value instanceof Undefined) fail(value.reason);
  if (typeof value === 'string') fail('not all arguments converted during string formatting');
  const numbers = [numberOf(value), numberOf(by)];
  const [number, divisor] = numbers;
  if (number === undefined || divisor === undefined) {
    return fail(`unsupported operand type(s) for %: '${typeOf(value)}' and '${typeOf(by)}'`);
  }
  return divisor === 0 ? fail('integer modulo by zero') : number - divisor * Math.floor(number / divisor);
};
const isIterable = (value: unknown): boolean =>
  typeof value === 'string' || Array.isArray(value) || value instanceof Map || value instanceof Generator || value instanceof Undefined; // prettier-ignore

export const TESTS: Readonly<Record<string, Test>> = {
  ...compared('==', 'eq', 'equalto')('=='),
  ...compared('!=', 'ne')('!='),
  ...compared('<', 'lt', 'lessthan')('<'),
  ...compared('<=', 'le')('<='),
  ...compared('>', 'gt', 'greaterthan')('>'),
  ...compared('>=', 'ge')('>='),
  boolean: (value) => typeof value === 'boolean',
  callable: (value) => typeof value === 'function' || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  divisibleby: (value, other) => rest(value, other) === 0,
  escaped: () => false,
  even: (value) => rest(value, 2) === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  in: (value, other) => contains(other, value),
  integer: (value) => typeof value === 'number',
  iterable: isIterable,
  lower: (value) => /\p{L}/u.test(written(value)) && written(value) === written(value).toLowerCase(),
  mapping: (value) => value instanceof Map,
  none: (value) => value === null,
  number: (value) => numberOf(value) !== undefined,
  odd: (value) => rest(value, 2) === 1,
  sameas: (value, other) => value === other || (typeof value !== 'object' && equals(value, other)),
  sequence: (value) => isIterable(value) && !(value instanceof Generator),
  string: (value) => typeof value === 'string',
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => /\p{L}/u.test(written(value)) && written(value) === written(value).toUpperCase(),
};

import { braceFormat } from './formats.js';
import { Tuple, bounded, lettersOf, fail, itemsOf, typeOf, tupleOf, type Callable, type Named } from './values.js';

/** Python's white space, which is not quite JavaScript's. */
const BLANK = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${BLANK}]+`);
const BLANKS = new RegExp(`[${BLANK}]+`);
const LINE_ENDS = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

function text(value: unknown): string {
  return typeof value === 'string' ? value : fail(`a str is expected, not '${typeOf(value)}'`);
}

function number(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  return fail(`'${typeOf(value)}' object cannot be interpreted as an integer`);
}

/** Trailing blanks, found from the end: a pattern would look at each run of blanks in a long text. */
function trimmedEnd(value: string): string {
  let end = value.length;
  while (end > 0 && BLANKS.test(value[end - 1])) end--;
  return value.slice(0, end);
}

/** `strip`, `lstrip` and `rstrip`. */
export function strip(value: string, which: 'both' | 'left' | 'right', chars: unknown = null): string {
  if (chars === null) {
    const left = which === 'right' ? value : value.replace(LEADING, '');
    return which === 'left' ? left : trimmedEnd(left);
  }
  const set = new Set(lettersOf(text(chars)));
  const letters = lettersOf(value);
  let [begin, end] = [0, letters.length];
  if (which !== 'right') while (begin < end && set.has(letters[begin])) begin++;
  if (which !== 'left') while (end > begin && set.has(letters[end - 1])) end--;
  return letters.slice(begin, end).join('');
}

export const linesOf = (value: string): string[] => {
  const all = value.split(LINE_ENDS);
  if (all.at(-1) === '') all.pop();
  return all;
};

function split(value: string, args: readonly unknown[], named: Named, fromRight = false): string[] {
  const separator = args[0] ?? named.get('sep') ?? null;
  const limit = number(args[1] ?? named.get('maxsplit') ?? -1);
  if (separator === '') fail('empty separator');
  const isBlank = separator === null;
  const parts = isBlank ? strip(value, 'both').split(BLANKS) : value.split(text(separator));
  if (isBlank && parts.length === 1 && parts[0] === '') return [];
  if (limit < 0 || parts.length <= limit + 1) return parts;
  if (!isBlank) {
    const joined = (some: string[]): string => some.join(text(separator));
    return fromRight
      ? [joined(parts.slice(0, parts.length - limit)), ...parts.slice(parts.length - limit)]
      : [...parts.slice(0, limit), joined(parts.slice(limit))];
  }
  const some: string[] = [];
  let rest = fromRight ? trimmedEnd(value) : value.replace(LEADING, '');
  while (some.length < limit) {
    const part = fromRight ? parts[parts.length - 1 - some.length] : parts[some.length];
    some.push(part);
    rest = fromRight ? trimmedEnd(rest.slice(0, -part.length)) : rest.slice(part.length).replace(LEADING, '');
  }
  return fromRight ? [rest, ...some.reverse()] : [...some, rest];
}

/** `count` of -1 stands for all. */
export function replaced(value: string, from: string, to: string, count = -1): string {
  if (count < 0) {
    const times = from === '' ? lettersOf(value).length + 1 : value.split(from).length - 1;
    bounded(value.length + times * to.length);
  }
  if (from === '') {
    const letters = lettersOf(value);
    const most = count < 0 ? letters.length + 1 : count;
    return [...letters, ''].map((letter, i) => (i < most ? to : '') + letter).join('');
  }
  const parts = value.split(from);
  if (count < 0 || parts.length <= count + 1) return parts.join(to);
  return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from);
}

function find(value: string, args: readonly unknown[], last: boolean): number {
  const [wanted, begin, end] = args;
  const isWhole = begin === undefined && end === undefined && !/[\ud800-\udfff]/.test(value);
  if (isWhole) return last ? value.lastIndexOf(text(wanted)) : value.indexOf(text(wanted));
  const letters = lettersOf(value);
  const from = begin === undefined || begin === null ? 0 : number(begin);
  const first = from < 0 ? Math.max(0, letters.length + from) : from;
  const part = letters.slice(first, end === undefined || end === null ? undefined : number(end)).join('');
  const at = last ? part.lastIndexOf(text(wanted)) : part.indexOf(text(wanted));
  return at < 0 ? -1 : first + lettersOf(part.slice(0, at)).length;
}

function begins(value: string, args: readonly unknown[], test: (part: string, affix: string) => boolean): boolean {
  const letters =
    args.length > 1
      ? lettersOf(value)
          .slice(...args.slice(1).map(number))
          .join('')
      : value;
  const affixes = args[0] instanceof Tuple ? args[0] : [args[0]];
  return affixes.some((affix) => test(letters, text(affix)));
}

function padded(value: string, args: readonly unknown[], side: 'left' | 'right' | 'both'): string {
  const width = number(args[0]);
  bounded(width);
  const missing = Math.max(0, width - lettersOf(value).length);
  const fill = args[1] === undefined ? ' ' : text(args[1]);
  if (side === 'left') return value + fill.repeat(missing);
  if (side === 'right') return fill.repeat(missing) + value;
  const before = (missing >> 1) + (missing & width & 1);
  return fill.repeat(before) + value + fill.repeat(missing - before);
}

export const center = (value: string, width: unknown): string => padded(value, [width], 'both');

export const capitalized = (value: string): string => {
  const [first = '', ...rest] = lettersOf(value);
  return first.toUpperCase() + rest.join('').toLowerCase();
};

const titled = (value: string): string =>
  value.replace(/\p{L}[\p{L}\p{M}]*/gu, (word) => {
    const [first, ...rest] = lettersOf(word);
    return first.toUpperCase() + rest.join('').toLowerCase();
  });

function partition(value: string, separator: unknown, last: boolean): Tuple {
  const wanted = text(separator);
  const at = last ? value.lastIndexOf(wanted) : value.indexOf(wanted);
  if (at < 0) return last ? tupleOf(['', '', value]) : tupleOf([value, '', '']);
  return tupleOf([value.slice(0, at), wanted, value.slice(at + wanted.length)]);
}

const all =
  (pattern: RegExp) =>
  (value: string): boolean =>
    pattern.test(value);

type Method = (value: string, args: readonly unknown[], named: Named) => unknown;

const METHODS: Readonly<Record<string, Method>> = {
  capitalize: capitalized,
  casefold: (value) => value.toLowerCase().replaceAll('ß', 'ss'),
  center: (value, args) => padded(value, args, 'both'),
  count: (value, [wanted]) => (wanted === '' ? lettersOf(value).length + 1 : value.split(text(wanted)).length - 1),
  endswith: (value, args) => begins(value, args, (part, affix) => part.endsWith(affix)),
  find: (value, args) => find(value, args, false),
  format: (value, args, named) => braceFormat(value, args, named),
  index: (value, args) => found(find(value, args, false)),
  isalnum: all(/^[\p{L}\p{N}]+$/u),
  isalpha: all(/^\p{L}+$/u),
  isascii: all(/^[\0-\x7f]*$/),
  isdecimal: all(/^\p{Nd}+$/u),
  isdigit: all(/^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u),
  isidentifier: all(/^[\p{L}_][\p{L}\p{N}_]*$/u),
  islower: (value) => value === value.toLowerCase() && value !== value.toUpperCase(),
  isnumeric: all(/^\p{N}+$/u),
  isspace: all(new RegExp(`^[${BLANK}]+$`)),
  istitle: (value) => /\p{L}/u.test(value) && titled(value) === value,
  isupper: (value) => value === value.toUpperCase() && value !== value.toLowerCase(),
  join: (value, [items]) => joined(value, itemsOf(items)),
  ljust: (value, args) => padded(value, args, 'left'),
  lower: (value) => value.toLowerCase(),
  lstrip: (value, [chars]) => strip(value, 'left', chars),
  partition: (value, [separator]) => partition(value, separator, false),
  removeprefix: (value, [affix]) => (value.startsWith(text(affix)) ? value.slice(text(affix).length) : value),
  removesuffix: (value, [affix]) =>
    value.endsWith(text(affix)) ? value.slice(0, value.length - text(affix).length) : value,
  replace: (value, [from, to, count], named) => replaced(value, text(from), text(to), number(count ?? named.get('count') ?? -1)), // prettier-ignore
  rfind: (value, args) => find(value, args, true),
  rindex: (value, args) => found(find(value, args, true)),
  rjust: (value, args) => padded(value, args, 'right'),
  rpartition: (value, [separator]) => partition(value, separator, true),
  rsplit: (value, args, named) => split(value, args, named, true),
  rstrip: (value, [chars]) => strip(value, 'right', chars),
  split: (value, args, named) => split(value, args, named),
  splitlines: linesOf,
  startswith: (value, args) => begins(value, args, (part, affix) => part.startsWith(affix)),
  strip: (value, [chars]) => strip(value, 'both', chars),
  swapcase: (value) => lettersOf(value).map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join(''), // prettier-ignore
  title: titled,
  upper: (value) => value.toUpperCase(),
  zfill: (value, [width]) => /^[-+]/.test(value) ? value[0] + padded(value.slice(1), [number(width) - 1, '0'], 'right') : padded(value, [width, '0'], 'right'), // prettier-ignore
};

function found(at: number): number {
  return at < 0 ? fail('substring not found') : at;
}

function joined(separator: string, items: readonly unknown[]): string {
  const wrong = items.findIndex((item) => typeof item !== 'string');
  if (wrong >= 0) fail(`sequence item ${wrong}: expected str instance, ${typeOf(items[wrong])} found`);
  return (items as string[]).join(separator);
}

/** A method of a text's; undefined where it has none of that name. */
export function textMethod(value: string, name: string): Callable | undefined {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return method && ((args, named) => method(value, args, named));
}

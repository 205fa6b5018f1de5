import { itemOf } from './attributes.js';
import { percentFormat } from './formats.js';
import { sequenceFilters } from './sequence-filters.js';
import { capitalized, center, linesOf, replaced, strip } from './text-methods.js';
import { Float, Undefined, bounded, lettersOf, fail, isTrue, lengthOf, typeOf, numberOf, tupleOf, type Named } from './values.js'; // prettier-ignore
import { dumped, reprOf, written } from './writing.js';

/** What a filter may use besides its arguments. */
export interface FilterRun {
  readonly filter: (name: string, value: unknown, args: readonly unknown[], named: Named) => unknown;
  readonly test: (name: string, value: unknown, args: readonly unknown[]) => boolean;
}

/** Arguments by place or by name. */
export class Given {
  constructor(
    readonly args: readonly unknown[],
    readonly named: Named,
  ) {}

  get(place: number, name: string, fallback: unknown = null): unknown {
    return this.args[place] ?? this.named.get(name) ?? fallback;
  }
}

export type Filter = (value: unknown, given: Given, run: FilterRun) => unknown;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};
const escaped = (value: unknown): string => written(value).replace(/[&<>'"]/g, (letter) => ENTITIES[letter]);

function asNumber(value: unknown): number {
  if (typeof value === 'string')
    return /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(value) ? Number(value) : NaN;
  return numberOf(value) ?? NaN;
}

/** To an even digit where two are as near, as Python does. */
function rounded(value: number, digits: number): number {
  if (digits !== 0) return Number(value.toFixed(Math.max(0, Math.min(digits, 100))));
  const below = Math.floor(value);
  const rest = value - below;
  return rest === 0.5 ? below + (below % 2 === 0 ? 0 : 1) : Math.round(value);
}

function round(value: unknown, given: Given): unknown {
  if (value instanceof Undefined) fail(value.reason);
  const digits = Number(given.get(0, 'precision', 0));
  const how = given.get(1, 'method', 'common');
  const number = numberOf(value) ?? fail('a number is required');
  if (how === 'common') return !(value instanceof Float) ? number : new Float(rounded(number, digits));
  const scale = 10 ** digits;
  return new Float((how === 'ceil' ? Math.ceil(number * scale) : Math.floor(number * scale)) / scale);
}

function indent(value: unknown, given: Given): string {
  const width = given.get(0, 'width', 4);
  const [first, blank] = [isTrue(given.get(1, 'first', false)), isTrue(given.get(2, 'blank', false))];
  if (typeof value !== 'string') fail(`indent takes a str, not '${typeOf(value)}'`);
  const all = linesOf(`${written(value)}\n`);
  bounded((typeof width === 'number' ? width : written(width).length) * all.length);
  const margin = typeof width === 'string' ? width : ' '.repeat(Number(width));
  return all.map((line, i) => ((i === 0 ? first : blank || line !== '') ? margin + line : line)).join('\n');
}

function truncate(value: unknown, given: Given): string {
  const text = written(value);
  const [length, end] = [Number(given.get(0, 'length', 255)), written(given.get(2, 'end', '...'))];
  const leeway = Number(given.get(3, 'leeway', 5));
  const most = length + leeway;
  if (typeof value !== 'string') return lengthOf(value) <= most ? text : fail('truncate takes a str');
  const letters = lettersOf(text);
  if (letters.length <= most) return text;
  const cut = letters.slice(0, length - end.length).join('');
  if (isTrue(given.get(1, 'killwords', false))) return cut + end;
  return (cut.includes(' ') ? cut.slice(0, cut.lastIndexOf(' ')) : cut) + end;
}

function toJson(value: unknown, given: Given): string {
  const indent = given.get(
    1,
    'indent',
    given.args.length === 1 && typeof given.args[0] === 'number' ? given.args[0] : null,
  );
  const separators = given.get(2, 'separators');
  const margin = typeof indent === 'number' ? ' '.repeat(indent) : typeof indent === 'string' ? indent : undefined;
  const usual = [margin === undefined ? ', ' : ',', ': '] as const;
  if (value instanceof Undefined) fail('Object of type Undefined is not JSON serializable');
  return dumped(value, {
    ...{ indent: margin, separators: Array.isArray(separators) ? (separators as unknown as [string, string]) : usual },
    ...{ sorted: isTrue(given.get(3, 'sort_keys', false)), ascii: isTrue(given.named.get('ensure_ascii') ?? false) },
  });
}

function toInt(value: unknown, given: Given): unknown {
  const base = Number(given.get(1, 'base', 10));
  const digits =
    typeof value === 'string'
      ? value
          .trim()
          .toLowerCase()
          .replace(/^0[xob]/, '')
      : '';
  const ofBase = base === 10 ? NaN : parseInt(digits, base);
  const number = Number.isNaN(ofBase) ? asNumber(value) : ofBase;
  return Number.isFinite(number) ? Math.trunc(number) : given.get(0, 'default', 0);
}

function toFloat(value: unknown, given: Given): unknown {
  if (value instanceof Undefined) fail(value.reason);
  const number = asNumber(value);
  return Number.isNaN(number) ? given.get(0, 'default', new Float(0)) : new Float(number);
}

function byDefault(value: unknown, given: Given): unknown {
  const stands = value instanceof Undefined || (isTrue(given.get(1, 'boolean', false)) && !isTrue(value));
  return stands ? given.get(0, 'default_value', '') : value;
}

function absolute(value: unknown): unknown {
  if (value instanceof Float) return new Float(Math.abs(value.value));
  return Math.abs(numberOf(value) ?? fail('a number is required'));
}

const length: Filter = (value) => lengthOf(value);
const escape: Filter = escaped;
const orElse: Filter = byDefault;

export const FILTERS: Readonly<Record<string, Filter>> = {
  ...sequenceFilters,
  ...{ abs: absolute, length, count: length, default: orElse, d: orElse, e: escape, escape, forceescape: escape },
  attr: (value, given) => {
    const name = written(given.get(0, 'name'));
    return value instanceof Map ? new Undefined(`'dict object' has no attribute '${name}'`) : itemOf(value, name);
  },
  capitalize: (value) => capitalized(written(value)),
  center: (value, given) => center(written(value), given.get(0, 'width', 80)),
  float: toFloat,
  format: (value, { args, named }) => percentFormat(written(value), named.size > 0 ? named : tupleOf(args)),
  indent,
  int: toInt,
  lower: (value) => written(value).toLowerCase(),
  pprint: reprOf,
  replace: (value, given) => {
    const [from, to] = [written(given.get(0, 'old')), written(given.get(1, 'new'))];
    return replaced(written(value), from, to, Number(given.get(2, 'count') ?? -1));
  },
  round,
  safe: (value) => written(value),
  string: (value) => written(value),
  striptags: (value) => written(value).replace(/<!--[^]*?-->|<[^>]*>/g, '').split(/\s+/).filter(Boolean).join(' '), // prettier-ignore
  title: (value) => written(value).split(/([-\s({[<]+)/).map((part) => capitalized(part)).join(''), // prettier-ignore
  tojson: toJson,
  trim: (value, given) => strip(written(value), 'both', given.get(0, 'chars')),
  truncate,
  upper: (value) => written(value).toUpperCase(),
  urlencode: (value) => encodeURIComponent(written(value)).replaceAll('%2F', '/').replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`), // prettier-ignore
  wordcount: (value) => (written(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length,
};

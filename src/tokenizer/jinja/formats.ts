import { Float, Tuple, bounded, fail, numberOf, typeOf, type Named } from './values.js';
import { reprOf, written } from './writing.js';

/** How a number or a text is laid out: `[[fill]align][sign][0][width][.precision][type]`. */
interface Layout {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly kind: string;
}

function converted(value: unknown, { precision, kind, sign }: Layout): string {
  if (kind === 's') return written(value).slice(0, precision);
  if (kind === 'r') return reprOf(value);
  const number = numberOf(value) ?? fail(`a number is required, not ${typeOf(value)}`);
  const before = number >= 0 && sign !== '' && sign !== '-' ? sign : '';
  if (kind === 'd' || kind === 'i' || kind === 'u') return before + String(Math.trunc(number));
  if (kind === 'x') return before + Math.trunc(number).toString(16);
  if (kind === 'X') return before + Math.trunc(number).toString(16).toUpperCase();
  if (kind === 'o') return before + Math.trunc(number).toString(8);
  if (kind === 'f' || kind === 'F') return before + number.toFixed(precision ?? 6);
  if (kind === '%') return `${before}${(number * 100).toFixed(precision ?? 6)}%`;
  if (kind === 'e') return before + number.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
  return fail(`unsupported format character '${kind}'`);
}

function laidOut(value: unknown, layout: Layout): string {
  const text = converted(value, layout);
  const missing = layout.width - text.length;
  bounded(layout.width);
  if (missing <= 0) return text;
  const fill = layout.fill.repeat(missing);
  if (layout.align === '<') return text + fill;
  if (layout.align === '^') return fill.slice(0, missing >> 1) + text + fill.slice(missing >> 1);
  const signed = layout.fill === '0' && /^[-+]/.test(text);
  return signed ? text[0] + fill + text.slice(1) : fill + text;
}

/** `format % values`. */
export function percentFormat(format: string, values: unknown): string {
  const rest = values instanceof Tuple ? [...values] : [values];
  const named = values instanceof Map ? values : undefined;
  const text = format.replace(/%(?:\((.*?)\))?([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g, (...found) => {
    const [key, precision] = [found[1], found[4]] as (string | undefined)[];
    const [flags, width, kind] = [found[2], found[3], found[5]] as string[];
    if (kind === '%') return '%';
    if (key === undefined && rest.length === 0) fail('not enough arguments for format string');
    const value: unknown = key === undefined ? rest.shift() : named?.get(key);
    return laidOut(value, {
      ...{ fill: flags.includes('0') && !flags.includes('-') ? '0' : ' ', align: flags.includes('-') ? '<' : '>' },
      ...{ sign: flags.includes('+') ? '+' : '', width: Number(width) },
      ...{ precision: precision === undefined ? undefined : Number(precision), kind },
    });
  });
  if (named === undefined && rest.length > 0) fail('not all arguments converted during string formatting');
  return text;
}

/** A value by a specification such as `>8.2f`. */
function byLayout(value: unknown, spec: string): string {
  const found = /^(?:(.)?([<>^]))?([-+ ]?)(0?)(\d*)(,?)(?:\.(\d+))?([a-zA-Z%]?)$/u.exec(spec);
  if (found === null) return fail(`Invalid format specifier '${spec}'`);
  const [, fill, align, sign, zero, width, , precision, kind] = found as unknown as (string | undefined)[];
  const isNumber = numberOf(value) !== undefined && typeof value !== 'boolean';
  const usual = value instanceof Float && precision !== undefined ? 'f' : 's';
  return laidOut(value, {
    ...{ fill: fill ?? (zero === '0' ? '0' : ' '), align: align ?? (isNumber ? '>' : '<'), sign: sign ?? '' },
    ...{ width: Number(width), precision: precision === undefined ? undefined : Number(precision) },
    kind: kind === '' || kind === undefined ? usual : kind,
  });
}

/** `format.format(...args, **named)`, without attributes and indices inside the braces. */
export function braceFormat(format: string, args: readonly unknown[], named: Named): string {
  let next = 0;
  return format.replace(
    /\{\{|\}\}|\{(\w*)(?:!([rs]))?(?::([^{}]*))?\}/g,
    (all, name: string, how?: string, spec = '') => {
      if (all === '{{' || all === '}}') return all[0];
      const place = name === '' ? next++ : /^\d+$/.test(name) ? Number(name) : undefined;
      const value = place === undefined ? named.get(name) : args[place];
      if (value === undefined) fail(`nothing is given for {${name}}`);
      return how === 'r' ? reprOf(value) : byLayout(value, spec as string);
    },
  );
}

/** How Python and its `json` write values. */
import { Float, Generator, Tuple, Undefined, bounded, fail, keyOf, typeOf } from './values.js';

/** The shortest digits that mean this number, with a point or an exponent, as `repr` has it. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const [digits, exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const small = value !== 0 && Math.abs(value) < 1e-4;
  const text = Object.is(value, -0) ? '-0' : small ? value.toFixed(20).replace(/0+$/, '') : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

const intText = (value: number): string => (Number.isSafeInteger(value) ? String(value) : BigInt(value).toString());

/** As `str()` has it: what a template prints. */
export function written(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Undefined ? '' : reprOf(value);
}

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0');

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/\\|[\p{C}\p{Z}]/gu, (letter) => {
    if (letter === ' ' || letter in NAMED) return NAMED[letter] ?? letter;
    const code = letter.codePointAt(0)!;
    return code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return quote + (quote === "'" ? inner.replaceAll("'", "\\'") : inner) + quote;
}

/** As `repr()` has it. */
export function reprOf(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return 'None';
  if (typeof value === 'number') return intText(value);
  if (value instanceof Float) return floatText(value.value);
  if (Array.isArray(value)) {
    const inner = value.map(reprOf).join(', ');
    bounded(inner.length);
    if (!(value instanceof Tuple)) return `[${inner}]`;
    return value.length === 1 ? `(${inner},)` : `(${inner})`;
  }
  if (value instanceof Map) return `{${[...value].map(([k, v]) => `${reprOf(k)}: ${reprOf(v)}`).join(', ')}}`;
  if (value instanceof Undefined) return 'Undefined';
  return value instanceof Generator ? '<generator object>' : `<${typeOf(value)}>`;
}

export interface JsonStyle {
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sorted: boolean;
  readonly ascii: boolean;
}

/** As `json.dumps` has it. */
export function dumped(value: unknown, style: JsonStyle, margin = '\n'): string {
  if (typeof value === 'string') return jsonText(value, style);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return intText(value);
  if (value instanceof Float) {
    const text = floatText(value.value);
    return { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[text] ?? text;
  }
  const { indent, separators, sorted } = style;
  const inside = margin + (indent ?? '');
  const join = (open: string, items: readonly string[], close: string): string => {
    if (items.length === 0) return open + close;
    const text =
      indent === undefined ? items.join(separators[0]) : inside + items.join(separators[0] + inside) + margin;
    bounded(text.length);
    return open + text + close;
  };
  if (Array.isArray(value)) return join('[', value.map((item) => dumped(item, style, inside)), ']'); // prettier-ignore
  if (value instanceof Map) {
    const entries = [...value].map(([key, inner]) => [jsonKey(key), inner] as const);
    if (sorted) entries.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
    const written = entries.map(([key, inner]) => jsonText(key, style) + separators[1] + dumped(inner, style, inside));
    return join('{', written, '}');
  }
  return fail(`Object of type ${typeOf(value)} is not JSON serializable`);
}

function jsonKey(key: unknown): string {
  if (typeof key === 'string') return key;
  return key === null || typeof key === 'boolean' ? String(key) : written(keyOf(key));
}

function jsonText(text: string, { ascii }: JsonStyle): string {
  const json = JSON.stringify(text);
  return ascii ? json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`) : json;
}

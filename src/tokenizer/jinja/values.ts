/**
 * Python's values: null is None; whole numbers are numbers, others `Float`; lists are arrays; dictionaries are maps;
 * functions are functions of positional and named arguments.
 */

/** A number that Python writes with a point. */
export class Float {
  constructor(readonly value: number) {}
}

/** What a name or an attribute stands for that is not there. */
export class Undefined {
  /** @param reason in words, for who uses it */
  constructor(readonly reason: string) {}
}

export class Tuple extends Array<unknown> {
  /** Parts of a tuple that JavaScript makes are lists. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

export function tupleOf(items: readonly unknown[]): Tuple {
  const tuple = new Tuple();
  for (const item of items) tuple.push(item);
  return tuple;
}

/** What `map` and `select` give: items that can be taken once. */
export class Generator {
  #items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.#items = items;
  }

  take(): readonly unknown[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  first(): unknown {
    const [first] = this.#items;
    this.#items = this.#items.slice(1);
    return first;
  }
}

export class Namespace {
  readonly values = new Map<string, unknown>();
}

export type Named = ReadonlyMap<string, unknown>;
export type Callable = (args: readonly unknown[], named: Named) => unknown;

/** An error of the template's, as Python or Jinja would raise it. */
export class TemplateError extends Error {}

export function fail(message: string): never {
  throw new TemplateError(message);
}

/** As many characters or items as anything may have. */
const MOST = 32 << 20;

/** And all that one rendering makes, one after the other: large values made often take as long as a loop without end. */
const MOST_MADE = 1 << 30;
let made = 0;

/** A rendering begins; it does not wait in between, so there is one at a time. */
export function nothingMade(): void {
  made = 0;
}

/** @throws RangeError where something would be larger than a template may make it, or all of it together */
export function bounded(size: number): void {
  made += size;
  if (size > MOST || made > MOST_MADE) throw new RangeError('Invalid string length');
}

/** A value of JavaScript's as one of Python's. */
export function fromJs(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : new Float(value);
  if (Array.isArray(value)) return value.map(fromJs);
  if (typeof value === 'object' && value !== null) {
    const known = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return new Map(known.map(([key, inner]) => [key, fromJs(inner)]));
  }
  return value ?? null;
}

const TYPES: readonly (readonly [string, (value: unknown) => boolean])[] = [
  ['str', (value) => typeof value === 'string'],
  ['bool', (value) => typeof value === 'boolean'],
  ['int', (value) => typeof value === 'number'],
  ['NoneType', (value) => value === null],
  ['float', (value) => value instanceof Float],
  ['tuple', (value) => value instanceof Tuple],
  ['list', (value) => Array.isArray(value)],
  ['dict', (value) => value instanceof Map],
  ['generator', (value) => value instanceof Generator],
  ['Undefined', (value) => value instanceof Undefined],
  ['function', (value) => typeof value === 'function'],
];

/** The name of a value's type, as Python has it. */
export function typeOf(value: unknown): string {
  return TYPES.find(([, is]) => is(value))?.[0] ?? 'object';
}

/** A number, or a truth as 0 or 1; undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value instanceof Float) return value.value;
  return typeof value === 'boolean' ? Number(value) : undefined;
}

export function isTrue(value: unknown): boolean {
  if (value instanceof Undefined || value === null) return false;
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return (numberOf(value) ?? 1) !== 0;
}

/** Characters as Python counts them. */
export function lettersOf(text: string): readonly string[] {
  return Array.from(text);
}

/** What a loop or a filter goes through. @throws TemplateError */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Generator) return value.take();
  if (typeof value === 'string') return lettersOf(value);
  if (value instanceof Map) return [...value.keys()];
  if (value instanceof Undefined) return [];
  return fail(`'${typeOf(value)}' object is not iterable`);
}

export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return /[\ud800-\udfff]/.test(value) ? lettersOf(value).length : value.length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value instanceof Undefined) return 0;
  return fail(`object of type '${typeOf(value)}' has no len()`);
}

export function keyOf(value: unknown): unknown {
  return value instanceof Float || typeof value === 'boolean' ? numberOf(value) : value;
}

export function equals(a: unknown, b: unknown): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x === y;
  if (Array.isArray(a) && Array.isArray(b)) {
    const same = a.length === b.length && a instanceof Tuple === b instanceof Tuple;
    return same && a.every((item, i) => equals(item, b[i]));
  }
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equals(value, b.get(key)));
  }
  return a === b || (a instanceof Undefined && b instanceof Undefined);
}

/** Below 0 where `a` comes first. @throws TemplateError where the two have no order */
export function order(a: unknown, b: unknown, sign = '<'): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (Array.isArray(a) && Array.isArray(b) && a instanceof Tuple === b instanceof Tuple) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (!equals(a[i], b[i])) return order(a[i], b[i], sign);
    }
    return a.length - b.length;
  }
  return fail(`'${sign}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [lettersOf(a), lettersOf(b)];
  const at = left.findIndex((letter, i) => letter !== right[i]);
  if (at < 0) return -1;
  return at >= right.length ? 1 : left[at].codePointAt(0)! - right[at].codePointAt(0)!;
}

export function contains(container: unknown, item: unknown): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    return fail(`'in <string>' requires string as left operand, not ${typeOf(item)}`);
  }
  if (container instanceof Map) return container.has(keyOf(item));
  return itemsOf(container).some((other) => equals(other, item));
}

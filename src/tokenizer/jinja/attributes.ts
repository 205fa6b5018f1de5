import { textMethod } from './text-methods.js';
import { Namespace, Tuple, Undefined, equals, fail, itemsOf, keyOf, numberOf, typeOf, tupleOf, type Callable } from './values.js'; // prettier-ignore
import { lettersOf } from './values.js';
import { reprOf } from './writing.js';

/** An object whose attributes are its own, such as `loop`. */
export interface Attributed {
  readonly attributes: Readonly<Record<string, unknown>>;
}

const isAttributed = (value: unknown): value is Attributed =>
  typeof value === 'object' && value !== null && 'attributes' in value;

const CHANGING = ['append', 'extend', 'insert', 'remove', 'pop', 'clear', 'update', 'setdefault', 'popitem', 'sort', 'reverse']; // prettier-ignore

const pairs = (map: ReadonlyMap<unknown, unknown>): Tuple[] => [...map].map(([key, value]) => tupleOf([key, value]));

function method(value: unknown, name: string): Callable | undefined {
  if (typeof value === 'string') return textMethod(value, name);
  if ((value instanceof Map || Array.isArray(value)) && CHANGING.includes(name)) {
    return () => fail(`"${name}" would change a ${typeOf(value)}, which a template may not`);
  }
  if (value instanceof Map) {
    const map = value as ReadonlyMap<unknown, unknown>;
    if (name === 'get') return ([key, other = null]) => (map.has(keyOf(key)) ? map.get(keyOf(key)) : other);
    if (name === 'items') return () => pairs(map);
    if (name === 'keys') return () => [...map.keys()];
    if (name === 'values') return () => [...map.values()];
    if (name === 'copy') return () => new Map(map);
  }
  if (Array.isArray(value)) {
    if (name === 'count') return ([item]) => value.filter((other) => equals(item, other)).length;
    if (name === 'copy') return () => [...(value as unknown[])];
    if (name === 'index') {
      return ([item]) => {
        const at = value.findIndex((other) => equals(item, other));
        return at < 0 ? fail(`${reprOf(item)} is not in list`) : at;
      };
    }
  }
  return undefined;
}

function own(value: unknown, name: string): unknown {
  if (value instanceof Namespace) return value.values.get(name);
  return isAttributed(value) && Object.hasOwn(value.attributes, name) ? value.attributes[name] : method(value, name);
}

function missing(value: unknown, key: unknown): Undefined {
  const name = `'${typeOf(value)} object'`;
  if (typeof key === 'number' && !(value instanceof Map))
    return new Undefined(`${typeOf(value)} object has no element ${key}`);
  return new Undefined(`${name} has no attribute ${reprOf(key)}`);
}

function element(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return value.get(keyOf(key));
  const at = typeof key === 'boolean' ? Number(key) : key;
  if (typeof at !== 'number' || !(typeof value === 'string' || Array.isArray(value))) return undefined;
  const items = typeof value === 'string' ? lettersOf(value) : (value as unknown[]);
  return items[at < 0 ? items.length + at : at];
}

/** `value.name`: an attribute or method before an entry. */
export function attributeOf(value: unknown, name: string): unknown {
  if (value instanceof Undefined) fail(value.reason);
  return own(value, name) ?? (name.startsWith('__') ? undefined : value instanceof Map ? entry(value, name) : undefined) ?? missing(value, name); // prettier-ignore
}

const entry = (value: ReadonlyMap<unknown, unknown>, name: string): unknown =>
  value.has(name) ? value.get(name) : undefined;

/** `value[key]`: an entry before an attribute. */
export function itemOf(value: unknown, key: unknown): unknown {
  if (value instanceof Undefined) fail(value.reason);
  const found = value instanceof Map && !value.has(keyOf(key)) ? undefined : element(value, key);
  if (found !== undefined) return found;
  return (typeof key === 'string' ? own(value, key) : undefined) ?? missing(value, key);
}

/** `a.b.0` as filters take it: each part an entry before an attribute. */
export function pathOf(path: unknown): (value: unknown) => unknown {
  const parts = typeof path === 'string' ? path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)) : [path]; // prettier-ignore
  return (value) => {
    for (const part of parts) value = itemOf(value, part);
    return value;
  };
}

/** `value[start:stop:step]`. */
export function sliceOf(value: unknown, bounds: readonly unknown[]): unknown {
  if (value instanceof Undefined) fail(value.reason);
  if (typeof value !== 'string' && !Array.isArray(value)) {
    return new Undefined(`'${typeOf(value)}' object has no attribute of a slice`);
  }
  const items = itemsOf(value);
  const [start, stop, step = 1] = bounds.map((bound) => {
    if (bound === undefined || bound === null) return undefined;
    return typeof bound === 'number' ? bound : (numberOf(bound) ?? fail('slice indices must be integers or None'));
  });
  if (step === 0) fail('slice step cannot be zero');
  const length = items.length;
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (bound: number | undefined, usual: number): number =>
    bound === undefined ? usual : Math.max(low, Math.min(high, bound < 0 ? bound + length : bound));
  const [first, end] = step > 0 ? [place(start, 0), place(stop, length)] : [place(start, length - 1), place(stop, -1)];
  const some: unknown[] = [];
  for (let i = first; step > 0 ? i < end : i > end; i += step) some.push(items[i]);
  if (typeof value === 'string') return some.join('');
  return value instanceof Tuple ? tupleOf(some) : some;
}

import { pathOf } from './attributes.js';
import type { Filter, Given, FilterRun } from './filters.js';
import { binary } from './operators.js';
import {
  Generator,
  Tuple,
  Undefined,
  lettersOf,
  order,
  equals,
  fail,
  isTrue,
  itemsOf,
  typeOf,
  tupleOf,
} from './values.js';
import { written } from './writing.js';

/** What items are compared by: an attribute where one is named, letters of both cases alike unless told otherwise. */
function comparedBy(
  given: Given,
  places: { readonly cases: number; readonly attribute: number },
): (item: unknown) => unknown {
  const path = given.get(places.attribute, 'attribute');
  const matters = isTrue(given.get(places.cases, 'case_sensitive', false));
  const paths = typeof path === 'string' ? path.split(',').map((each) => pathOf(each)) : [pathOf(path)];
  const cased = (value: unknown): unknown => (typeof value === 'string' && !matters ? value.toLowerCase() : value);
  if (path === null) return cased;
  if (paths.length === 1) return (item) => cased(paths[0](item));
  return (item) => paths.map((get) => cased(get(item)));
}

const sorted = (items: readonly unknown[], by: (item: unknown) => unknown, reverse: boolean): unknown[] => {
  const keyed = items.map((item) => ({ item, key: by(item) }));
  keyed.sort((a, b) => (reverse ? order(b.key, a.key) : order(a.key, b.key)));
  return keyed.map(({ item }) => item);
};

/** `map`, `select` and their likes find nothing in what is not true, whatever it is. */
const someOf = (value: unknown): readonly unknown[] => (isTrue(value) ? itemsOf(value) : []);

function map(value: unknown, given: Given, run: FilterRun): Generator {
  const items = someOf(value);
  const [name, ...rest] = given.args;
  if (name === undefined) {
    const path = given.named.get('attribute') ?? fail('map needs a filter or an attribute');
    const get = pathOf(path);
    const other = given.named.get('default');
    return new Generator(
      items.map((item) => {
        const found = get(item);
        return found instanceof Undefined && other !== undefined ? other : found;
      }),
    );
  }
  return new Generator(items.map((item) => run.filter(written(name), item, rest, given.named)));
}

/** `select`, `reject` and their likes of attributes. */
function selecting(wanted: boolean, byAttribute: boolean): Filter {
  return (value, { args }, run) => {
    const get = byAttribute ? pathOf(args[0] ?? fail('an attribute is missing')) : (item: unknown): unknown => item;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const test = (item: unknown): boolean => (name === undefined ? isTrue(item) : run.test(written(name), item, rest));
    return new Generator(someOf(value).filter((item) => test(get(item)) === wanted));
  };
}

function extreme(sign: 1 | -1): Filter {
  return (value, given) => {
    const by = comparedBy(given, { cases: 0, attribute: 1 });
    const items = itemsOf(value);
    if (items.length === 0) return new Undefined('No aggregated item, sequence was empty.');
    return items.reduce((best, item) => (sign * order(by(item), by(best)) > 0 ? item : best));
  };
}

function unique(value: unknown, given: Given): Generator {
  const by = comparedBy(given, { cases: 0, attribute: 1 });
  const [seen, keys, some] = [new Set<unknown>(), [] as unknown[], [] as unknown[]];
  for (const item of itemsOf(value)) {
    const key = by(item);
    const isPlain = typeof key === 'string' || typeof key === 'number';
    if (isPlain ? seen.has(key) : keys.some((other) => equals(key, other))) continue;
    if (isPlain) seen.add(key);
    else keys.push(key);
    some.push(item);
  }
  return new Generator(some);
}

/** A group of `groupby`, which is a pair with names. */
class Group extends Tuple {
  get attributes(): Readonly<Record<string, unknown>> {
    return { grouper: this[0], list: this[1] };
  }
}

function groupBy(value: unknown, given: Given): unknown[] {
  const path = pathOf(given.get(0, 'attribute'));
  const other = given.get(1, 'default', undefined);
  const get = (item: unknown): unknown => {
    const found = path(item);
    return found instanceof Undefined && other !== null ? other : found;
  };
  const matters = isTrue(given.get(2, 'case_sensitive', false));
  const by = (item: unknown): unknown => {
    const key = get(item);
    return typeof key === 'string' && !matters ? key.toLowerCase() : key;
  };
  const groups: { key: unknown; items: unknown[] }[] = [];
  for (const item of sorted(itemsOf(value), by, false)) {
    const last = groups.at(-1);
    if (last !== undefined && equals(last.key, by(item))) last.items.push(item);
    else groups.push({ key: by(item), items: [item] });
  }
  return groups.map(({ items }) => {
    const group = new Group();
    group.push(get(items[0]), items);
    return group;
  });
}

function batch(value: unknown, given: Given): Generator {
  const size = Number(given.get(0, 'linecount'));
  if (!(size >= 1)) fail('batch needs a size of at least 1');
  const [items, fill] = [itemsOf(value), given.get(1, 'fill_with')];
  const rows: unknown[][] = [];
  for (let i = 0; i < items.length; i += size) rows.push(items.slice(i, i + size));
  while (fill !== null && rows.length > 0 && rows.at(-1)!.length < size) rows.at(-1)!.push(fill);
  return new Generator(rows);
}

function slice(value: unknown, given: Given): Generator {
  const count = Number(given.get(0, 'slices'));
  if (!(count >= 1 && count <= 100_000)) fail('slice needs a number of slices');
  const [items, fill] = [itemsOf(value), given.get(1, 'fill_with')];
  const [each, more] = [Math.floor(items.length / count), items.length % count];
  let at = 0;
  const rows = Array.from({ length: count }, (_, i) => {
    const row = items.slice(at, (at += each + (i < more ? 1 : 0)));
    return fill !== null && i >= more && more > 0 ? [...row, fill] : row;
  });
  return new Generator(rows);
}

function join(value: unknown, given: Given): string {
  const path = given.get(1, 'attribute');
  const get = path === null ? (item: unknown): unknown => item : pathOf(path);
  return itemsOf(value).map((item) => written(get(item))).join(written(given.get(0, 'd', ''))); // prettier-ignore
}

function dictSort(value: unknown, given: Given): unknown[] {
  if (!(value instanceof Map)) return fail(`'${typeOf(value)}' object has no attribute 'items'`);
  const place = given.get(1, 'by', 'key') === 'value' ? 1 : 0;
  const matters = isTrue(given.get(0, 'case_sensitive', false));
  const by = (pair: unknown): unknown => {
    const key = (pair as Tuple)[place];
    return typeof key === 'string' && !matters ? key.toLowerCase() : key;
  };
  const pairs = [...value].map(([key, inner]) => tupleOf([key, inner]));
  return sorted(pairs, by, isTrue(given.get(2, 'reverse', false)));
}

function items(value: unknown): Generator {
  if (value instanceof Undefined) return new Generator([]);
  if (!(value instanceof Map)) return fail('Can only get item pairs from a mapping.');
  return new Generator([...value].map(([key, inner]) => tupleOf([key, inner])));
}

function first(value: unknown): unknown {
  const found = value instanceof Generator ? value.first() : itemsOf(value)[0];
  return found === undefined ? new Undefined('No first item, sequence was empty.') : found;
}

export const sequenceFilters: Readonly<Record<string, Filter>> = {
  batch,
  dictsort: dictSort,
  first,
  groupby: groupBy,
  items,
  join,
  last: (value) => {
    if (value instanceof Generator) fail("'generator' object is not reversible");
    const found = itemsOf(value).at(-1);
    return found === undefined ? new Undefined('No last item, sequence was empty.') : found;
  },
  list: (value) => [...itemsOf(value)],
  map,
  max: extreme(1),
  min: extreme(-1),
  random: (value) => {
    const all = itemsOf(value);
    return all.length === 0
      ? new Undefined('No random item, sequence was empty.')
      : all[Math.floor(Math.random() * all.length)];
  },
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  reverse: (value) =>
    typeof value === 'string' ? [...lettersOf(value)].reverse().join('') : new Generator([...itemsOf(value)].reverse()),
  select: selecting(true, false),
  selectattr: selecting(true, true),
  slice,
  sort: (value, given) => {
    const by = comparedBy(given, { cases: 1, attribute: 2 });
    return sorted(itemsOf(value), by, isTrue(given.get(0, 'reverse', false)));
  },
  sum: (value, given) => {
    const path = given.get(0, 'attribute');
    const get = path === null ? (item: unknown): unknown => item : pathOf(path);
    return itemsOf(value).reduce((total, item) => binary('+', total, get(item)), given.get(1, 'start', 0));
  },
  unique,
};

import { fractionOf, type Fraction } from './fractions.js';
import type { Flat, Items, Limit, Members } from './flat.js';
import { ABOUT, LIMITS, refuseSlip, TYPES, UNSUPPORTED, type Limited, type TypeName } from './keywords.js';
import { at, isRecord, list, refuse, type Located } from './located.js';
import type { Work } from './work.js';

/** What is known of a value while the schemas that must hold are put together. */
interface Collected {
  types: Set<TypeName> | undefined;
  about: Set<TypeName>;
  values: Flat['values'];
  constrained: string | undefined;
  limits: Partial<Record<Limited, { low?: Limit; high?: Limit }>>;
  factor: Flat['factor'];
  places: number | undefined;
  fractions: Fraction[];
  unique: string | undefined;
  patterns: { source: string; pointer: string }[];
  formats: string[];
  required: string[];
  members: Members[];
  items: Items[];
}

/** Plain schemas put together; undefined where no type fits them all. */
export function flat(parts: readonly Located[], work: Work): Flat | undefined {
  const all: Collected = {
    types: undefined,
    about: new Set(),
    values: undefined,
    constrained: undefined,
    limits: {},
    factor: undefined,
    places: undefined,
    fractions: [],
    unique: undefined,
    patterns: [],
    formats: [],
    required: [],
    members: [],
    items: [],
  };
  for (const part of parts) {
    collect(all, part);
    const { values, required } = all;
    // Lists are compared with those before them, each item with each.
    work.spend(4 + ((values?.texts.length ?? 0) ** 2 + required.length ** 2) / 256);
  }
  const pointer = parts[0]?.pointer ?? '#';
  if (all.values !== undefined && all.constrained !== undefined) {
    refuse(all.constrained, `stands beside ${all.values.pointer}: "enum" and "const" go together with "type" only`);
  }
  const types = all.types ?? (all.about.size > 0 ? all.about : new Set(TYPES));
  if (types.size === 0) return undefined;
  return { ...all, pointer, types };
}

/** Adds what one plain schema says, keyword by keyword. */
function collect(all: Collected, schema: Located): void {
  for (const keyword of Object.keys(schema.value as object)) {
    const { pointer, value } = at(schema, keyword);
    if (value === undefined) continue;
    if (Object.hasOwn(ABOUT, keyword)) {
      for (const type of ABOUT[keyword]) all.about.add(type);
      if (keyword !== 'format') all.constrained ??= pointer;
    }
    if (Object.hasOwn(LIMITS, keyword)) {
      if (typeof value === 'boolean' && Object.hasOwn(MARKS, keyword)) mark(all, keyword, schema);
      else limit(all, keyword, pointer, value);
      continue;
    }
    switch (keyword) {
      case 'type':
        types(all, pointer, value);
        break;
      case 'enum':
        if (!Array.isArray(value) || value.length === 0) refuse(pointer, 'must be a list of values, not empty');
        values(all, pointer, value);
        break;
      case 'const':
        values(all, pointer, [value]);
        break;
      case 'multipleOf':
        factor(all, pointer, value);
        break;
      case 'pattern':
        if (typeof value !== 'string') refuse(pointer, 'must be a text');
        all.patterns.push({ source: value, pointer });
        break;
      case 'format':
        if (typeof value !== 'string') refuse(pointer, 'must be a text');
        all.formats.push(value);
        break;
      case 'required':
        if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
          refuse(pointer, 'must be a list of names');
        }
        all.required.push(...value.filter((name) => !all.required.includes(name)));
        break;
      case 'uniqueItems':
        if (typeof value !== 'boolean') refuse(pointer, 'must be true or false');
        if (value) all.unique = pointer;
        break;
      case 'nullable': // read by `expand`
        if (typeof value !== 'boolean') refuse(pointer, 'must be true or false');
        break;
      case 'properties':
        if (!isRecord(value)) refuse(pointer, 'must be an object of schemas');
        break;
      case 'prefixItems':
      case 'items':
      case 'additionalItems':
      case 'additionalProperties':
      case 'propertyNames':
      case 'patternProperties':
      case '$ref':
      case 'allOf':
      case 'anyOf':
      case 'oneOf':
        break;
      default:
        if (UNSUPPORTED.has(keyword)) refuse(pointer, 'is not supported');
        refuseSlip(pointer, keyword);
    }
  }
  structure(all, schema);
}

function structure(all: Collected, schema: Located): void {
  const value = schema.value as Record<string, unknown>;
  const has = (keyword: string): boolean => value[keyword] !== undefined;
  if (has('patternProperties')) {
    if (has('properties') || has('propertyNames')) refuse(`${schema.pointer}/patternProperties`, ONE_PATTERN);
    all.members.push(byPattern(at(schema, 'patternProperties')));
  } else if (has('properties') || has('additionalProperties') || has('propertyNames')) {
    const names = Object.keys((value['properties'] as object | undefined) ?? {});
    all.members.push({
      properties: new Map(names.map((name) => [name, at(schema, 'properties', name)])),
      additional: has('additionalProperties') ? at(schema, 'additionalProperties') : undefined,
      names: has('propertyNames') ? at(schema, 'propertyNames') : undefined,
    });
  }
  // Up to draft 2019-09 a list under `items` is what `prefixItems` is now, and `additionalItems` the rest.
  const older = Array.isArray(value['items']);
  const prefix = older ? 'items' : 'prefixItems';
  const rest = older ? 'additionalItems' : 'items';
  if (has(prefix) || has(rest)) {
    all.items.push({ prefix: list(schema, prefix), rest: has(rest) ? at(schema, rest) : undefined });
  }
}

const ONE_PATTERN = 'is supported with one pattern, and without "properties" and "propertyNames" beside it';

/** Objects whose names match a pattern; others, where they are allowed, are not written. */
function byPattern(patterns: Located): Members {
  const sources = isRecord(patterns.value) ? Object.keys(patterns.value) : [];
  if (sources.length !== 1) refuse(patterns.pointer, ONE_PATTERN);
  const names = { pointer: patterns.pointer, value: { pattern: sources[0] } };
  return { properties: new Map(), additional: at(patterns, sources[0]), names };
}

/** Most decimals of a factor. */
const MAX_PLACES = 9;

/** The least number that both factors divide. */
function factor(all: Collected, pointer: string, value: unknown): void {
  if (typeof value !== 'number' || !(value > 0)) refuse(pointer, 'must be a number above 0');
  const places = -Math.round(Math.log10(value));
  if (value < 1 && value === Number(`1e-${places}`) && places <= MAX_PLACES) {
    all.places = Math.min(all.places ?? places, places);
    return;
  }
  if (!Number.isSafeInteger(value)) {
    const fraction = fractionOf(value);
    if (fraction === undefined) {
      const those = 'whole numbers, 0.1, 0.01 and so on, and what divides 1 with up to three decimals, as 0.25 does';
      refuse(pointer, `(${value}) is not supported: only ${those}`);
    }
    all.fractions.push(fraction);
    all.places = Math.min(all.places ?? fraction.places, fraction.places);
    return;
  }
  types(all, pointer, 'integer');
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  const known = all.factor?.value ?? 1;
  all.factor = { value: (known / common(known, value)) * value, pointer };
}

function limit(all: Collected, keyword: string, pointer: string, value: unknown): void {
  const [what, side, exclusive] = LIMITS[keyword];
  const count = what !== 'value';
  if (typeof value !== 'number' || !Number.isFinite(value) || (count && !(Number.isInteger(value) && value >= 0))) {
    refuse(pointer, count ? 'must be a whole number, not negative' : 'must be a number');
  }
  const limits = (all.limits[what] ??= {});
  const known = limits[side];
  const sign = side === 'low' ? 1 : -1;
  if (
    known === undefined ||
    sign * (value - known.value) > 0 ||
    (value === known.value && exclusive && !known.exclusive)
  ) {
    limits[side] = { value, exclusive, pointer };
  }
}

/** The limits that these once were marks of: in draft 4 and OpenAPI 3.0 they are true or false. */
const MARKS: Readonly<Record<string, string>> = { exclusiveMinimum: 'minimum', exclusiveMaximum: 'maximum' };

/** A mark that says whether the limit beside it is outside itself. */
function mark(all: Collected, keyword: string, schema: Located): void {
  const { pointer, value } = at(schema, keyword);
  const limited = at(schema, MARKS[keyword]).value;
  if (limited === undefined) refuse(pointer, `must be a number, or stand beside ${JSON.stringify(MARKS[keyword])}`);
  if (value === true) limit(all, keyword, pointer, limited);
}

function types(all: Collected, pointer: string, value: unknown): void {
  const named = new Set<TypeName>();
  for (const name of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (!TYPES.includes(name as TypeName)) refuse(pointer, `must be one of ${TYPES.join(', ')}, or a list of these`);
    named.add(name as TypeName);
  }
  const known = all.types;
  if (known === undefined) {
    all.types = named;
    return;
  }
  const both = [...named].filter((type) => known.has(type) || (type === 'integer' && known.has('number')));
  if (named.has('number') && known.has('integer')) both.push('integer');
  all.types = new Set(both);
}

function values(all: Collected, pointer: string, list: readonly unknown[]): void {
  const texts = list.map((value) => JSON.stringify(value));
  const known = all.values;
  all.values =
    known === undefined ? { texts, pointer } : { texts: texts.filter((text) => known.texts.includes(text)), pointer };
}

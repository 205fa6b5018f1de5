import { RidgepointError } from '../errors.js';
import { meantBy } from '../spelling.js';
import type { Work } from './work.js';

/** A schema of the document, named by its JSON pointer: equal pointers are equal schemas. */
export interface Located {
  readonly pointer: string;
  readonly value: unknown;
}

export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type TypeName = (typeof TYPES)[number];

/** A limit and the keyword it comes from, to be named where it contradicts another. */
export interface Limit {
  readonly value: number;
  readonly exclusive: boolean;
  readonly pointer: string;
}

/** What must hold of a value all at once, without references, `allOf` and `anyOf`. */
export interface Flat {
  readonly pointer: string;
  readonly types: ReadonlySet<TypeName>;
  /** The values allowed, as JSON text; undefined where any are. */
  readonly values: { readonly texts: readonly string[]; readonly pointer: string } | undefined;
  /** The highest lower and the lowest upper limit, by what they limit. */
  readonly limits: Readonly<Partial<Record<Limited, { readonly low?: Limit; readonly high?: Limit }>>>;
  /** The factor of all values that are numbers. */
  readonly factor: { readonly value: number; readonly pointer: string } | undefined;
  /** Most decimals of a number, of factors such as 0.01. */
  readonly places: number | undefined;
  /** The keyword by which no two items of an array may be equal. */
  readonly unique: string | undefined;
  readonly patterns: readonly { readonly source: string; readonly pointer: string }[];
  readonly formats: readonly string[];
  readonly required: readonly string[];
  /** One for each schema that said something about an object's members. */
  readonly members: readonly Members[];
  /** Likewise for an array's items. */
  readonly items: readonly Items[];
}
export type Limited = 'value' | 'length' | 'items' | 'properties';

export interface Members {
  readonly properties: ReadonlyMap<string, Located>;
  readonly additional: Located | undefined;
  readonly names: Located | undefined;
}
export interface Items {
  readonly prefix: readonly Located[];
  readonly rest: Located | undefined;
}

const ANNOTATIONS = new Set([
  '$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', '$vocabulary', 'title', 'description', 'default',
  'example', 'examples', 'deprecated', 'readOnly', 'writeOnly', 'contentMediaType', 'contentEncoding', 'contentSchema',
  'id', 'discriminator', 'xml', 'externalDocs', '$dynamicAnchor', '$recursiveAnchor', 'then', 'else', 'minContains',
  'maxContains',
]); // prettier-ignore

/** Keywords that limit values, of any draft, and are not kept to here. */
const UNSUPPORTED = new Set([
  'not', 'if', 'contains', 'dependencies', 'dependentRequired', 'dependentSchemas',
  'unevaluatedItems', 'unevaluatedProperties', '$dynamicRef', '$recursiveRef', 'extends', 'disallow', 'divisibleBy',
  'formatMinimum', 'formatMaximum', 'formatExclusiveMinimum', 'formatExclusiveMaximum',
]); // prettier-ignore

/** Keywords that say something about values of some types only, and of which. */
const ABOUT: Readonly<Record<string, readonly TypeName[]>> = {
  minimum: ['number'],
  maximum: ['number'],
  exclusiveMinimum: ['number'],
  exclusiveMaximum: ['number'],
  multipleOf: ['integer'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  items: ['array'],
  prefixItems: ['array'],
  additionalItems: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  uniqueItems: ['array'],
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
  propertyNames: ['object'],
  patternProperties: ['object'],
  minProperties: ['object'],
  maxProperties: ['object'],
};

/** All that limits values; names close to one of these are taken for slips. */
const KEYWORDS: ReadonlySet<string> = new Set([
  ...Object.keys(ABOUT),
  ...UNSUPPORTED,
  ...['type', 'enum', 'const', '$ref', 'allOf', 'anyOf', 'oneOf', 'nullable'],
]);

/** Limits by keyword: what is limited, at which side, and whether the limit itself is outside. */
const LIMITS: Readonly<Record<string, readonly [Limited, 'low' | 'high', boolean]>> = {
  minimum: ['value', 'low', false],
  maximum: ['value', 'high', false],
  exclusiveMinimum: ['value', 'low', true],
  exclusiveMaximum: ['value', 'high', true],
  minLength: ['length', 'low', false],
  maxLength: ['length', 'high', false],
  minItems: ['items', 'low', false],
  maxItems: ['items', 'high', false],
  minProperties: ['properties', 'low', false],
  maxProperties: ['properties', 'high', false],
};

/** Most alternatives that `anyOf` and `oneOf` of one place may multiply to. */
const MAX_ALTERNATIVES = 1024;
/** Most schemas to look at for them. */
const MAX_STEPS = 10_000;

export function refuse(pointer: string, what: string): never {
  throw new RidgepointError('usage', `The JSON schema cannot be used: ${pointer} ${what}.`);
}

interface Todo {
  readonly schema: Located;
  /** Pointers of the schemas that led here without a value in between. */
  readonly above: readonly string[];
  /** Null, which `nullable` allows, was looked at already. */
  readonly isNull?: boolean;
}

/** A schema document: its parts by pointer, and what a set of schemas amounts to. */
export class SchemaDocument {
  readonly root: Located;
  private steps = 0;

  constructor(
    private readonly document: unknown,
    private readonly work: Work,
  ) {
    this.root = { pointer: '#', value: document };
  }

  /**
   * The alternatives a value has if all of `schemas` must hold. `oneOf` is read as `anyOf`: a value that fits several
   * of its schemas is not kept out.
   * @throws RidgepointError ('usage') naming a keyword that is malformed or not supported
   */
  flatten(schemas: readonly Located[]): Flat[] {
    const alternatives = new Map<string, readonly Located[]>();
    this.steps = 0;
    this.expand(schemas.map((schema) => ({ schema, above: [] })), [], alternatives); // prettier-ignore
    return [...alternatives.values()].map((parts) => flat(parts, this.work)).filter((one) => one !== undefined);
  }

  /** Follows references, `allOf` and `anyOf` until only plain schemas are left. */
  private expand(
    todo: readonly Todo[],
    plain: readonly Located[],
    alternatives: Map<string, readonly Located[]>,
  ): void {
    if (todo.length === 0) {
      const parts = [...new Map(plain.map((one) => [one.pointer, one])).values()];
      alternatives.set(parts.map(({ pointer }) => pointer).join('\n'), parts);
      if (alternatives.size > MAX_ALTERNATIVES) {
        refuse(parts[0]?.pointer ?? '#', `has more than ${MAX_ALTERNATIVES} alternatives; use fewer "anyOf" together`);
      }
      return;
    }
    const [{ schema, above, isNull = false }, ...rest] = todo;
    const { pointer, value } = schema;
    this.work.spend(2 + (todo.length + plain.length + above.length) / 8);
    if (++this.steps > MAX_STEPS) refuse(pointer, 'has too many combinations of "allOf" and "anyOf"; simplify them');
    if (value === false) return;
    if (value === true) return this.expand(rest, plain, alternatives);
    if (!isRecord(value)) refuse(pointer, 'must be a schema: an object, true or false');
    if (above.includes(pointer)) refuse(pointer, 'refers to itself without a value in between');
    const inside = [...above, pointer];
    // OpenAPI 3.0: null or what the rest says.
    if (value['nullable'] === true && !isNull) {
      const nothing = { pointer: `${pointer}/nullable`, value: { type: 'null' } };
      this.expand([{ schema: nothing, above: inside }, ...rest], plain, alternatives);
      return this.expand([{ schema, above, isNull: true }, ...rest], plain, alternatives);
    }
    const of = (part: Located): { schema: Located; above: string[] } => ({ schema: part, above: inside });
    const more = list(schema, 'allOf').map(of);
    if (value['$ref'] !== undefined) more.push(of(this.reference(schema)));
    const next = [...more, ...rest];
    const found = [...plain, schema];
    const choices = ['anyOf', 'oneOf'].filter((keyword) => value[keyword] !== undefined);
    const pick = (level: number, picked: readonly Located[]): void => {
      if (level === choices.length) return this.expand([...picked.map(of), ...next], found, alternatives);
      for (const one of list(schema, choices[level])) pick(level + 1, [...picked, one]);
    };
    pick(0, []);
  }

  private reference({ pointer, value }: Located): Located {
    const reference = (value as Record<string, unknown>)['$ref'];
    const where = `${pointer}/$ref`;
    if (typeof reference !== 'string') refuse(where, 'must be a text');
    if (reference !== '#' && !reference.startsWith('#/')) {
      refuse(where, `(${JSON.stringify(reference)}) must point into this schema, like "#/$defs/name"`);
    }
    let target: unknown = this.document;
    let canonical = '#';
    for (const part of reference.split('/').slice(1)) {
      let name: string;
      try {
        name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      } catch {
        refuse(where, `(${JSON.stringify(reference)}) is no JSON pointer`);
      }
      if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name)) {
        refuse(where, `points to ${JSON.stringify(reference)}, which is not there`);
      }
      target = (target as Record<string, unknown>)[name];
      canonical += `/${escapePointer(name)}`;
    }
    return { pointer: canonical, value: target };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function at({ pointer, value }: Located, ...path: string[]): Located {
  let inner = value;
  for (const name of path) inner = (inner as Record<string, unknown>)[name];
  return { pointer: [pointer, ...path.map(escapePointer)].join('/'), value: inner };
}

/** The schemas of a keyword that lists them; none where it is absent. */
function list(schema: Located, keyword: string): Located[] {
  const one = at(schema, keyword);
  if (one.value === undefined) return [];
  if (!Array.isArray(one.value) || one.value.length === 0) refuse(one.pointer, 'must be a list of schemas, not empty');
  return one.value.map((_, i) => at(one, String(i)));
}

interface Collected {
  types: Set<TypeName> | undefined;
  about: Set<TypeName>;
  values: Flat['values'];
  constrained: string | undefined;
  limits: Partial<Record<Limited, { low?: Limit; high?: Limit }>>;
  factor: Flat['factor'];
  places: number | undefined;
  unique: string | undefined;
  patterns: { source: string; pointer: string }[];
  formats: string[];
  required: string[];
  members: Members[];
  items: Items[];
}

/** Plain schemas put together; undefined where no type fits them all. */
function flat(parts: readonly Located[], work: Work): Flat | undefined {
  const all: Collected = {
    types: undefined,
    about: new Set(),
    values: undefined,
    constrained: undefined,
    limits: {},
    factor: undefined,
    places: undefined,
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

function collect(all: Collected, schema: Located): void {
  for (const keyword of Object.keys(schema.value as object)) {
    const { pointer, value } = at(schema, keyword);
    if (value === undefined) continue;
    if (Object.hasOwn(ABOUT, keyword)) {
      for (const type of ABOUT[keyword]) all.about.add(type);
      if (keyword !== 'format') all.constrained ??= pointer;
    }
    if (Object.hasOwn(LIMITS, keyword)) {
      limit(all, keyword, pointer, value);
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

/** What nobody knows is an annotation, as JSON Schema has it, unless it is a keyword with a slip of the pen. */
function refuseSlip(pointer: string, keyword: string): void {
  if (ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) return;
  const meant = meantBy(keyword, KEYWORDS);
  if (meant !== undefined) refuse(pointer, `is no keyword; write ${JSON.stringify(meant)} if that is meant`);
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
    refuse(pointer, `(${value}) is not supported: only whole numbers are, and 0.1, 0.01 and so on`);
  }
  types(all, pointer, 'integer');
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  const known = all.factor?.value ?? 1;
  all.factor = { value: (known / common(known, value)) * value, pointer };
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

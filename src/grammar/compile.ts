import { EMPTY, NEVER, type Expression, type Expressions } from './expression.js';
import { FORMATS } from './formats.js';
import { intersect } from './intersect.js';
import { anyText, blank, key, literal, plainText, quoted, textBesides } from './json.js';
import { multiples } from './multiples.js';
import { anyNumber, integer, numberWithin, span, type Bounds } from './numbers.js';
import { pattern, PatternError } from './pattern.js';
import { refuse, SchemaDocument, type Flat, type Limited, type Located, type TypeName } from './schema.js';
import { MOST_UNIQUE, withoutRepetition } from './unique.js';

/** Most objects and arrays within each other. A schema that refers to itself is written out so far. */
export const MAX_DEPTH = 32;
/** Most places a schema may have, written out. */
const MAX_PLACES = 100_000;
/** Longest text of a value of `enum` or `const`, and most items an array may have to have. */
const MAX_LITERAL = 4096;
const MAX_FIXED_ITEMS = 4096;
const MAX_PROPERTIES = 1000;

/** Any value; the schema of what no schema says anything about. */
const ANYTHING: readonly Located[] = [];

/**
 * The JSON texts of a schema as one expression. Everything is written out bottom up, to `MAX_DEPTH`, so that a
 * schema nothing fits comes out as NEVER by itself, wherever the impossibility lies.
 */
export class SchemaCompiler {
  private readonly document: SchemaDocument;
  private readonly known = new Map<string, Expression>();
  private readonly flattened = new Map<string, Flat[]>();

  constructor(
    private readonly e: Expressions,
    schema: unknown,
  ) {
    this.document = new SchemaDocument(schema, e.work);
  }

  /** @throws RidgepointError ('usage') naming a keyword that is malformed, not supported or contradicts another */
  compile(): Expression {
    const result = this.value([this.document.root], MAX_DEPTH);
    if (result === NEVER) refuse('#', `has no value that fits it with at most ${MAX_DEPTH} levels of nesting`);
    return this.e.sequence(blank(this.e), result);
  }

  /** A value that fits all of `schemas` and nests objects and arrays at most `depth` deep. */
  private value(schemas: readonly Located[], depth: number): Expression {
    const place = schemas.map(({ pointer }) => pointer).join('\n');
    this.e.work.spend(1 + place.length / 64);
    const name = `${depth} ${place}`;
    let result = this.known.get(name);
    if (result === undefined) {
      let flats = this.flattened.get(place);
      if (flats === undefined) this.flattened.set(place, (flats = this.document.flatten(schemas)));
      result = this.e.choice(...flats.map((flat) => this.flat(flat, depth)));
      this.known.set(name, result);
      if (this.known.size > MAX_PLACES) refuse('#', `stands for more than ${MAX_PLACES} places, written out`);
    }
    return result;
  }

  private flat(flat: Flat, depth: number): Expression {
    if (flat.values !== undefined) return this.values(flat);
    return this.e.choice(...Array.from(flat.types, (type) => this.typed(type, flat, depth)));
  }

  private values(flat: Flat): Expression {
    const { texts, pointer } = flat.values!;
    const fitting = texts.filter(
      (text) => flat.types.size === 7 || typesOf(JSON.parse(text)).some((type) => flat.types.has(type)),
    );
    const long = fitting.find(({ length }) => length > MAX_LITERAL);
    if (long !== undefined) refuse(pointer, `has a value longer than ${MAX_LITERAL} characters`);
    return this.e.choice(...fitting.map((text) => literal(this.e, JSON.parse(text))));
  }

  private typed(type: TypeName, flat: Flat, depth: number): Expression {
    switch (type) {
      case 'null':
        return this.e.text('null');
      case 'boolean':
        return this.e.choice(this.e.text('true'), this.e.text('false'));
      case 'integer':
      case 'number':
        return this.number(type, flat);
      case 'string':
        return quoted(this.e, this.text(flat));
      case 'array':
        return depth === 0 ? NEVER : this.array(flat, depth - 1);
      case 'object':
        return depth === 0 ? NEVER : this.object(flat, depth - 1);
    }
  }

  private number(type: 'integer' | 'number', flat: Flat): Expression {
    const bounds = { ...flat.limits.value, places: flat.places };
    const bounded = Object.values(bounds).some((one) => one !== undefined);
    let result: Expression;
    if (type === 'integer') result = this.integer(flat);
    else result = bounded ? numberWithin(this.e, bounds) : anyNumber(this.e);
    if (result === NEVER) {
      const { pointer } = bounds.low ?? bounds.high ?? flat;
      const within = type === 'integer' ? 'between -(2^53 - 1) and 2^53 - 1' : 'of at most 15 digits';
      refuse(pointer, `leaves no ${type} ${within}${bounds.high ? ` together with ${bounds.high.pointer}` : ''}`);
    }
    return this.e.group(result);
  }

  private integer({ factor, limits: { value: bounds = {} } }: Flat): Expression {
    if (factor === undefined || factor.value === 1) return integer(this.e, bounds);
    const result = multiples(this.e, bounds, factor.value);
    const mend = 'give a narrower "minimum" and "maximum", or a smaller factor';
    if (result === undefined) refuse(factor.pointer, `(${factor.value}) needs too many states; ${mend}`);
    if (result === NEVER) refuse(factor.pointer, `leaves no integer together with the other limits of this number`);
    return result;
  }

  /** What stands between the quotes of a string. */
  private text(flat: Flat): Expression {
    const [min, max] = range(flat, 'length');
    const parts = flat.patterns.map(({ source, pointer }) => this.pattern(source, pointer));
    for (const format of flat.formats) {
      if (Object.hasOwn(FORMATS, format)) parts.push(pattern(this.e, FORMATS[format]));
    }
    if (parts.length === 0) return anyText(this.e, min, max);
    if (min > 0 || max < Infinity) parts.push(plainText(this.e, min, max));
    if (parts.length === 1) return parts[0];
    const pointer = flat.patterns.at(-1)?.pointer ?? flat.pointer;
    const both = intersect(this.e, parts);
    if (both === undefined) {
      refuse(pointer, 'becomes too large together with the other limits of this text; simplify it or leave one out');
    }
    if (both === NEVER) refuse(pointer, 'leaves no text together with the other limits of this text');
    return both;
  }

  private pattern(source: string, pointer: string): Expression {
    try {
      const result = pattern(this.e, source);
      if (result === NEVER) refuse(pointer, 'matches no text');
      return result;
    } catch (error) {
      if (error instanceof PatternError) refuse(pointer, `(${JSON.stringify(source)}) ${error.message}`);
      throw error;
    }
  }

  private array(flat: Flat, depth: number): Expression {
    const { e } = this;
    const [min, max] = range(flat, 'items');
    const fixed = Math.max(0, ...flat.items.map(({ prefix }) => prefix.length));
    if (Math.max(min, fixed) > MAX_FIXED_ITEMS) {
      refuse(flat.limits.items?.low?.pointer ?? flat.pointer, `asks for more than ${MAX_FIXED_ITEMS} items`);
    }
    const item = (i: number): Expression => {
      e.work.spend(flat.items.length);
      const schemas = flat.items.map(({ prefix, rest }) => (i < prefix.length ? prefix[i] : rest));
      return this.value(distinct(schemas), depth);
    };
    const comma = e.sequence(e.text(','), blank(e));
    const close = e.text(']');
    const end = e.sequence(blank(e), close);
    // From the last item to the first: what may follow once `i` items are there.
    if (flat.unique !== undefined && max > 1) {
      const values = fixed === 0 ? this.finite(distinct(flat.items.map((one) => one.rest))) : undefined;
      if (values === undefined) {
        const whose = `whose items have at most ${MOST_UNIQUE} values, by "enum", "const" or narrow limits`;
        const mend = 'leave it out, and drop what is repeated from the answer';
        refuse(flat.unique, `is supported only for arrays ${whose}, or of at most one item; ${mend}`);
      }
      const texts = values.map((value) => literal(e, value));
      const list = withoutRepetition(e, texts, { min, max, separator: comma, empty: close, end });
      return e.sequence(e.text('['), blank(e), list);
    }
    const closed = fixed > 0 && min <= fixed && flat.items.every((one) => one.rest === undefined);
    const rest = max > fixed && !closed ? item(fixed) : NEVER;
    const loop = e.repeat(e.sequence(comma, rest), Math.max(0, min - fixed), max - fixed);
    let after = e.sequence(loop, end);
    if (fixed === 0) {
      const first = e.sequence(rest, e.repeat(e.sequence(comma, rest), Math.max(0, min - 1), max - 1), end);
      return this.listed('[', min === 0 ? close : NEVER, max === 0 ? NEVER : first);
    }
    for (let i = fixed - 1; i >= 0; i--) {
      const one = i < max ? item(i) : NEVER;
      const more = e.sequence(i === 0 ? EMPTY : comma, one, after);
      if (i === 0) return this.listed('[', min === 0 ? close : NEVER, more);
      after = e.choice(more, i >= min ? end : NEVER);
    }
    return NEVER;
  }

  /** The values that fit all of `schemas`, none twice, if there are few. */
  private finite(schemas: readonly Located[]): unknown[] | undefined {
    if (schemas.length === 0) return undefined;
    const texts = new Set<string>();
    for (const { values, types, limits, factor } of this.document.flatten(schemas)) {
      const listed = values?.texts.map((text) => JSON.parse(text) as unknown);
      for (const type of types) {
        let few: unknown[] | undefined;
        if (listed !== undefined) few = listed.filter((value) => typesOf(value).includes(type));
        else if (type === 'null') few = [null];
        else if (type === 'boolean') few = [true, false];
        else if (type === 'integer') few = fewIntegers(limits.value ?? {}, factor?.value ?? 1);
        if (few === undefined) return undefined;
        for (const value of few) texts.add(JSON.stringify(value));
      }
    }
    return texts.size > MOST_UNIQUE ? undefined : Array.from(texts, (text) => JSON.parse(text) as unknown);
  }

  private listed(open: string, empty: Expression, filled: Expression): Expression {
    return this.e.sequence(this.e.text(open), blank(this.e), this.e.choice(empty, filled));
  }

  /**
   * An object: the named properties in the order of the schema, those not required or not, then the additional ones.
   * Where no schema has `additionalProperties`, there are none beside named ones.
   */
  private object(flat: Flat, depth: number): Expression {
    const { e } = this;
    const listed = this.listedNames(flat);
    const named = [...flat.members.flatMap(({ properties }) => [...properties.keys()]), ...flat.required];
    const isListed = (name: string): boolean => listed?.includes(name) ?? true;
    if (!flat.required.every(isListed)) return NEVER;
    const names = [...new Set([...named.filter(isListed), ...(listed ?? [])])];
    if (names.length > MAX_PROPERTIES) refuse(flat.pointer, `has more than ${MAX_PROPERTIES} properties`);
    const isNamed = names.length > 0 && flat.members.every(({ additional }) => additional === undefined);
    const closed = isNamed || listed !== undefined;
    const extra = closed ? NEVER : this.additional(flat, names, depth);
    const [min, max] = range(flat, 'properties');
    if (extra !== NEVER && min > Math.max(1, flat.required.length)) {
      refuse(flat.limits.properties!.low!.pointer, 'is not supported where additional properties are allowed');
    }
    const members = names.map((name) => {
      e.work.spend(flat.members.length);
      const schemas = flat.members.map(({ properties, additional }) => properties.get(name) ?? additional);
      const required = flat.required.includes(name);
      const value = this.value(distinct(schemas), depth);
      return { required, text: e.sequence(key(e, name), value) };
    });

    // What may follow once `count` members are there and those before the i-th are decided; counts beyond the last
    // that makes a difference are alike.
    const cap = Math.max(1, min, max === Infinity ? 0 : Math.min(max, MAX_PROPERTIES));
    const comma = e.sequence(e.text(','), blank(e));
    const close = (count: number): Expression =>
      count < min || count > max ? NEVER : e.sequence(count === 0 ? EMPTY : blank(e), e.text('}'));
    const member = (text: Expression, count: number): Expression =>
      count >= max ? NEVER : e.sequence(count === 0 ? EMPTY : comma, text);
    const next = (count: number): number => Math.min(count + 1, cap);
    let row: Expression[] = [];
    for (let count = cap; count >= 0; count--) {
      if (extra === NEVER) row[count] = close(count);
      else if (count === cap && cap < max) {
        row[count] = e.sequence(e.repeat(member(extra, count), 0, Infinity), close(count));
      } else row[count] = e.choice(close(count), e.sequence(member(extra, count), row[next(count)] ?? NEVER));
    }
    for (const { required, text } of members.reverse()) {
      row = row.map((skip, count) => {
        const take = e.sequence(member(text, count), row[next(count)]);
        return required ? take : e.choice(take, skip);
      });
    }
    return e.sequence(e.text('{'), blank(e), row[0]);
  }

  /** All names that `propertyNames` allows, where it lists them. */
  private listedNames(flat: Flat): string[] | undefined {
    const rules = distinct(flat.members.map(({ names }) => names));
    if (rules.length === 0) return undefined;
    const flats = this.document.flatten(rules);
    if (!flats.every(({ values }) => values !== undefined)) return undefined;
    const texts = flats.flatMap(({ values, types }) => (types.has('string') ? values!.texts : []));
    return texts.map((text) => JSON.parse(text) as unknown).filter((value) => typeof value === 'string');
  }

  /** A member whose name is none of `names`; NEVER where there may be none. */
  private additional(flat: Flat, names: readonly string[], depth: number): Expression {
    const { e } = this;
    const value = this.value(distinct(flat.members.map(({ additional }) => additional)), depth);
    if (value === NEVER) return NEVER;
    const rules = distinct(flat.members.map(({ names: rule }) => rule)).filter((rule) => !isPlainString(rule));
    let name = quoted(e, names.length === 0 ? anyText(e) : textBesides(e, names));
    if (rules.length > 0) {
      const [{ pointer }] = rules;
      if (names.length > 0) refuse(pointer, 'is not supported beside "properties" or "required"');
      const flats = this.document.flatten(rules);
      if (flats.some(({ values, types }) => values !== undefined || !types.has('string'))) {
        refuse(pointer, 'must limit texts by "enum", or by "pattern", "format", "minLength" or "maxLength"');
      }
      name = e.choice(...flats.map((one) => quoted(e, this.text(one))));
    }
    return e.sequence(name, e.text(':'), blank(e), value);
  }
}

function fewIntegers(bounds: Bounds, factor: number): number[] | undefined {
  const [from, to] = span(bounds);
  const [first, last] = [Math.ceil(from / factor), Math.floor(to / factor)];
  if (last - first >= MOST_UNIQUE) return undefined;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * factor + 0);
}

function isPlainString({ value }: Located): boolean {
  return value === true || JSON.stringify(value) === '{"type":"string"}';
}

function distinct(schemas: readonly (Located | undefined)[]): readonly Located[] {
  const found = schemas.filter((schema) => schema !== undefined);
  return found.length === 0 ? ANYTHING : [...new Map(found.map((schema) => [schema.pointer, schema])).values()];
}

function range(flat: Flat, what: Limited): [number, number] {
  const { low, high } = flat.limits[what] ?? {};
  if (low !== undefined && high !== undefined && low.value > high.value) {
    refuse(low.pointer, `(${low.value}) is more than ${high.pointer} (${high.value})`);
  }
  return [low?.value ?? 0, high?.value ?? Infinity];
}

function typesOf(value: unknown): TypeName[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [typeof value as TypeName];
}

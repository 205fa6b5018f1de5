import type { BareWriting } from './bare.js';
import { NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { FORMATS } from './formats.js';
import { intersect } from './intersect.js';
import { anyText, blank, JSON_WORDS, key, literal, plainText, quoted, textBesides, type ValueWords } from './json.js';
import { multiplesOf } from './fractions.js';
import { multiples } from './multiples.js';
import { anyNumber, integer, numberWithin } from './numbers.js';
import { pattern, PatternError } from './pattern.js';
import { range, type Flat } from './flat.js';
import { SchemaDocument } from './document.js';
import type { TypeName } from './keywords.js';
import { itemList, MAX_PROPERTIES, memberList, type Member } from './lists.js';
import { refuse, type Located } from './located.js';
import { MOST_UNIQUE, uniqueList } from './unique.js';
import { fewIntegers, typesOf } from './values.js';

/** Most objects and arrays within each other. A schema that refers to itself is written out so far. */
export const MAX_DEPTH = 32;
/** Most places a schema may have, written out. */
const MAX_PLACES = 100_000;
/** Longest text of a value of `enum` or `const`, and most items an array may have to have. */
const MAX_LITERAL = 4096;
const MAX_FIXED_ITEMS = 4096;

/** Any value; the schema of what no schema says anything about. */
const ANYTHING: readonly Located[] = [];

/**
 * The JSON texts of a schema as one expression. Everything is written out bottom up, to `MAX_DEPTH`, so that a
 * schema nothing fits comes out as NEVER by itself, wherever the impossibility lies.
 */
export class SchemaCompiler {
  readonly #document: SchemaDocument;
  readonly #known = new Map<string, Expression>();
  readonly #flattened = new Map<string, Flat[]>();

  readonly #e: Expressions;
  readonly #words: ValueWords;

  constructor(e: Expressions, schema: unknown, words = JSON_WORDS) {
    this.#e = e;
    this.#words = words;
    this.#document = new SchemaDocument(schema, e.work);
  }

  /** @throws RidgepointError ('usage') naming a keyword that is malformed, not supported or contradicts another */
  compile(): Expression {
    const result = this.#value([this.#document.root], MAX_DEPTH);
    if (result === NEVER) refuse('#', `has no value that fits it with at most ${MAX_DEPTH} levels of nesting`);
    return this.#e.sequence(blank(this.#e), result);
  }

  /** The members of an object without brackets, and without names that the schema has not. @throws as `compile` */
  bare(writing: BareWriting): Expression {
    const flats = this.#document.flatten([this.#document.root]).filter(({ types }) => types.has('object'));
    const result = this.#e.choice(
      ...flats.map((flat) => {
        const [min, max] = range(flat, 'properties');
        const names = this.#names(flat, this.#listedNames(flat));
        const members = this.#members(flat, names, MAX_DEPTH - 1, (name, value, schemas) =>
          writing.member(name, value, () => this.#document.flatten(schemas), flat),
        );
        return memberList(this.#e, members, { extra: NEVER, separator: writing.separator, min, max });
      }),
    );
    if (result === NEVER) refuse('#', 'has no object that fits it');
    return result;
  }

  /** A value that fits all of `schemas` and nests objects and arrays at most `depth` deep. */
  #value(schemas: readonly Located[], depth: number): Expression {
    const place = schemas.map(({ pointer }) => pointer).join('\n');
    this.#e.work.spend(1 + place.length / 64);
    const name = `${depth} ${place}`;
    let result = this.#known.get(name);
    if (result === undefined) {
      let flats = this.#flattened.get(place);
      if (flats === undefined) this.#flattened.set(place, (flats = this.#document.flatten(schemas)));
      result = this.#e.choice(...flats.map((flat) => this.#flat(flat, depth)));
      this.#known.set(name, result);
      if (this.#known.size > MAX_PLACES) refuse('#', `stands for more than ${MAX_PLACES} places, written out`);
    }
    return result;
  }

  #flat(flat: Flat, depth: number): Expression {
    if (flat.values !== undefined) return this.#values(flat);
    return this.#e.choice(...Array.from(flat.types, (type) => this.#typed(type, flat, depth)));
  }

  #values(flat: Flat): Expression {
    const { texts, pointer } = flat.values!;
    const fitting = texts.filter(
      (text) => flat.types.size === 7 || typesOf(JSON.parse(text)).some((type) => flat.types.has(type)),
    );
    const long = fitting.find(({ length }) => length > MAX_LITERAL);
    if (long !== undefined) refuse(pointer, `has a value longer than ${MAX_LITERAL} characters`);
    return this.#e.choice(...fitting.map((text) => literal(this.#e, JSON.parse(text), this.#words)));
  }

  #typed(type: TypeName, flat: Flat, depth: number): Expression {
    switch (type) {
      case 'null':
        return this.#e.text(this.#words.null);
      case 'boolean':
        return this.#e.choice(this.#e.text(this.#words.true), this.#e.text(this.#words.false));
      case 'integer':
      case 'number':
        return this.#number(type, flat);
      case 'string':
        return quoted(this.#e, this.#text(flat));
      case 'array':
        return depth === 0 ? NEVER : this.#array(flat, depth - 1);
      case 'object':
        return depth === 0 ? NEVER : this.#object(flat, depth - 1);
    }
  }

  #number(type: 'integer' | 'number', flat: Flat): Expression {
    const bounds = { ...flat.limits.value, places: flat.places };
    const bounded = Object.values(bounds).some((one) => one !== undefined);
    let result: Expression;
    if (type === 'integer') result = this.#integer(flat);
    else result = bounded ? multiplesOf(this.#e, numberWithin(this.#e, bounds), flat) : anyNumber(this.#e);
    if (result === NEVER) {
      const { pointer } = bounds.low ?? bounds.high ?? flat;
      const within = type === 'integer' ? 'between -(2^53 - 1) and 2^53 - 1' : 'of at most 15 digits';
      refuse(pointer, `leaves no ${type} ${within}${bounds.high ? ` together with ${bounds.high.pointer}` : ''}`);
    }
    return this.#e.group(result);
  }

  #integer({ factor, limits: { value: bounds = {} } }: Flat): Expression {
    if (factor === undefined || factor.value === 1) return integer(this.#e, bounds);
    const result = multiples(this.#e, bounds, factor.value);
    const mend = 'give a narrower "minimum" and "maximum", or a smaller factor';
    if (result === undefined) refuse(factor.pointer, `(${factor.value}) needs too many states; ${mend}`);
    if (result === NEVER) refuse(factor.pointer, `leaves no integer together with the other limits of this number`);
    return result;
  }

  /** What stands between the quotes of a string. */
  #text(flat: Flat): Expression {
    const [min, max] = range(flat, 'length');
    const parts = flat.patterns.map(({ source, pointer }) => this.#pattern(source, pointer));
    for (const format of flat.formats) {
      if (Object.hasOwn(FORMATS, format)) parts.push(pattern(this.#e, FORMATS[format]));
    }
    if (parts.length === 0) return anyText(this.#e, min, max);
    if (min > 0 || max < Infinity) parts.push(plainText(this.#e, min, max));
    if (parts.length === 1) return parts[0];
    const pointer = flat.patterns.at(-1)?.pointer ?? flat.pointer;
    const both = intersect(this.#e, parts);
    if (both === undefined) {
      refuse(pointer, 'becomes too large together with the other limits of this text; simplify it or leave one out');
    }
    if (both === NEVER) refuse(pointer, 'leaves no text together with the other limits of this text');
    return both;
  }

  #pattern(source: string, pointer: string): Expression {
    try {
      const result = pattern(this.#e, source);
      if (result === NEVER) refuse(pointer, 'matches no text');
      return result;
    } catch (error) {
      if (error instanceof PatternError) refuse(pointer, `(${JSON.stringify(source)}) ${error.message}`);
      throw error;
    }
  }

  #array(flat: Flat, depth: number): Expression {
    const e = this.#e;
    const [min, max] = range(flat, 'items');
    const fixed = Math.max(0, ...flat.items.map(({ prefix }) => prefix.length));
    if (Math.max(min, fixed) > MAX_FIXED_ITEMS) {
      refuse(flat.limits.items?.low?.pointer ?? flat.pointer, `asks for more than ${MAX_FIXED_ITEMS} items`);
    }
    const item = (i: number): Expression => {
      e.work.spend(flat.items.length);
      const schemas = flat.items.map(({ prefix, rest }) => (i < prefix.length ? prefix[i] : rest));
      return this.#value(distinct(schemas), depth);
    };
    if (flat.unique !== undefined && max > 1) {
      const values = fixed === 0 ? this.#finite(distinct(flat.items.map((one) => one.rest))) : undefined;
      if (values === undefined) {
        const whose = `whose items have at most ${MOST_UNIQUE} values, by "enum", "const" or narrow limits`;
        const mend = 'leave it out, and drop what is repeated from the answer';
        refuse(flat.unique, `is supported only for arrays ${whose}, or of at most one item; ${mend}`);
      }
      return uniqueList(e, { values: values.map((value) => literal(e, value, this.#words)), min, max });
    }
    const closed = fixed > 0 && min <= fixed && flat.items.every((one) => one.rest === undefined);
    return itemList(e, { item, fixed, closed, min, max });
  }

  /** The values that fit all of `schemas`, none twice, if there are few. */
  #finite(schemas: readonly Located[]): unknown[] | undefined {
    if (schemas.length === 0) return undefined;
    const texts = new Set<string>();
    for (const { values, types, limits, factor } of this.#document.flatten(schemas)) {
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

  /**
   * An object: the named properties in the order of the schema, those not required or not, then the additional ones.
   * Where no schema has `additionalProperties`, there are none beside named ones.
   */
  #object(flat: Flat, depth: number): Expression {
    const e = this.#e;
    const listed = this.#listedNames(flat);
    const names = this.#names(flat, listed);
    if (!flat.required.every((name) => names.includes(name))) return NEVER;
    const isNamed = names.length > 0 && flat.members.every(({ additional }) => additional === undefined);
    const closed = isNamed || listed !== undefined;
    const extra = closed ? NEVER : this.#additional(flat, names, depth);
    const [min, max] = range(flat, 'properties');
    if (extra !== NEVER && min > Math.max(1, flat.required.length)) {
      refuse(flat.limits.properties!.low!.pointer, 'is not supported where additional properties are allowed');
    }
    const members = this.#members(flat, names, depth, (name, value) => e.sequence(key(e, name), value));
    return memberList(e, members, { extra, min, max });
  }

  /** The names that are written out, in the order of the schema. */
  #names(flat: Flat, listed: readonly string[] | undefined): string[] {
    const named = [...flat.members.flatMap(({ properties }) => [...properties.keys()]), ...flat.required];
    const names = [...new Set([...named.filter((name) => listed?.includes(name) ?? true), ...(listed ?? [])])];
    if (names.length > MAX_PROPERTIES) refuse(flat.pointer, `has more than ${MAX_PROPERTIES} properties`);
    return names;
  }

  #members(
    flat: Flat,
    names: readonly string[],
    depth: number,
    written: (name: string, value: Expression, schemas: readonly Located[]) => Expression,
  ): Member[] {
    return names.map((name) => {
      this.#e.work.spend(flat.members.length);
      const schemas = distinct(flat.members.map(({ properties, additional }) => properties.get(name) ?? additional));
      const value = this.#value(schemas, depth);
      return { required: flat.required.includes(name), text: written(name, value, schemas) };
    });
  }

  /** All names that `propertyNames` allows, where it lists them. */
  #listedNames(flat: Flat): string[] | undefined {
    const rules = distinct(flat.members.map(({ names }) => names));
    if (rules.length === 0) return undefined;
    const flats = this.#document.flatten(rules);
    if (!flats.every(({ values }) => values !== undefined)) return undefined;
    const texts = flats.flatMap(({ values, types }) => (types.has('string') ? values!.texts : []));
    return texts.map((text) => JSON.parse(text) as unknown).filter((value) => typeof value === 'string');
  }

  /** A member whose name is none of `names`; NEVER where there may be none. */
  #additional(flat: Flat, names: readonly string[], depth: number): Expression {
    const e = this.#e;
    const value = this.#value(distinct(flat.members.map(({ additional }) => additional)), depth);
    if (value === NEVER) return NEVER;
    const rules = distinct(flat.members.map(({ names: rule }) => rule)).filter((rule) => !isPlainString(rule));
    let name = quoted(e, names.length === 0 ? anyText(e) : textBesides(e, names));
    if (rules.length > 0) {
      const [{ pointer }] = rules;
      if (names.length > 0) refuse(pointer, 'is not supported beside "properties" or "required"');
      const flats = this.#document.flatten(rules);
      if (flats.some(({ values, types }) => values !== undefined || !types.has('string'))) {
        refuse(pointer, 'must limit texts by "enum", or by "pattern", "format", "minLength" or "maxLength"');
      }
      name = e.choice(...flats.map((one) => quoted(e, this.#text(one))));
    }
    return e.sequence(name, e.text(':'), blank(e), value);
  }
}

function isPlainString({ value }: Located): boolean {
  return value === true || JSON.stringify(value) === '{"type":"string"}';
}

function distinct(schemas: readonly (Located | undefined)[]): readonly Located[] {
  const found = schemas.filter((schema) => schema !== undefined);
  return found.length === 0 ? ANYTHING : [...new Map(found.map((schema) => [schema.pointer, schema])).values()];
}

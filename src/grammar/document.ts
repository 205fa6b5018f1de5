import { flat } from './collect.js';
import type { Flat } from './flat.js';
import { escapePointer, isRecord, list, refuse, type Located } from './located.js';
import type { Work } from './work.js';

/** Most alternatives that `anyOf` and `oneOf` of one place may multiply to. */
const MAX_ALTERNATIVES = 1024;
/** Most schemas to look at for them. */
const MAX_STEPS = 10_000;

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
  #steps = 0;
  readonly #document: unknown;
  readonly #work: Work;

  constructor(document: unknown, work: Work) {
    this.#document = document;
    this.#work = work;
    this.root = { pointer: '#', value: document };
  }

  /**
   * The alternatives a value has if all of `schemas` must hold. `oneOf` is read as `anyOf`: a value that fits several
   * of its schemas is not kept out.
   * @throws RidgepointError ('usage') naming a keyword that is malformed or not supported
   */
  flatten(schemas: readonly Located[]): Flat[] {
    const alternatives = new Map<string, readonly Located[]>();
    this.#steps = 0;
    this.#expand(schemas.map((schema) => ({ schema, above: [] })), [], alternatives); // prettier-ignore
    return [...alternatives.values()].map((parts) => flat(parts, this.#work)).filter((one) => one !== undefined);
  }

  /** Follows references, `allOf` and `anyOf` until only plain schemas are left. */
  #expand(todo: readonly Todo[], plain: readonly Located[], alternatives: Map<string, readonly Located[]>): void {
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
    this.#work.spend(2 + (todo.length + plain.length + above.length) / 8);
    if (++this.#steps > MAX_STEPS) refuse(pointer, 'has too many combinations of "allOf" and "anyOf"; simplify them');
    if (value === false) return;
    if (value === true) return this.#expand(rest, plain, alternatives);
    if (!isRecord(value)) refuse(pointer, 'must be a schema: an object, true or false');
    if (above.includes(pointer)) refuse(pointer, 'refers to itself without a value in between');
    const inside = [...above, pointer];
    // OpenAPI 3.0: null or what the rest says.
    if (value['nullable'] === true && !isNull) {
      const nothing = { pointer: `${pointer}/nullable`, value: { type: 'null' } };
      this.#expand([{ schema: nothing, above: inside }, ...rest], plain, alternatives);
      return this.#expand([{ schema, above, isNull: true }, ...rest], plain, alternatives);
    }
    const of = (part: Located): { schema: Located; above: string[] } => ({ schema: part, above: inside });
    const more = list(schema, 'allOf').map(of);
    if (value['$ref'] !== undefined) more.push(of(this.#reference(schema)));
    const next = [...more, ...rest];
    const found = [...plain, schema];
    const choices = ['anyOf', 'oneOf'].filter((keyword) => value[keyword] !== undefined);
    const pick = (level: number, picked: readonly Located[]): void => {
      if (level === choices.length) return this.#expand([...picked.map(of), ...next], found, alternatives);
      for (const one of list(schema, choices[level])) pick(level + 1, [...picked, one]);
    };
    pick(0, []);
  }

  #reference({ pointer, value }: Located): Located {
    const reference = (value as Record<string, unknown>)['$ref'];
    const where = `${pointer}/$ref`;
    if (typeof reference !== 'string') refuse(where, 'must be a text');
    if (reference !== '#' && !reference.startsWith('#/')) {
      refuse(where, `(${JSON.stringify(reference)}) must point into this schema, like "#/$defs/name"`);
    }
    let target: unknown = this.#document;
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

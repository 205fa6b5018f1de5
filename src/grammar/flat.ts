import type { Fraction } from './fractions.js';
import type { Limited, TypeName } from './keywords.js';
import { refuse, type Located } from './located.js';

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
  /** Factors such as 0.5, of numbers that need not be whole. */
  readonly fractions: readonly Fraction[];
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
export interface Members {
  readonly properties: ReadonlyMap<string, Located>;
  readonly additional: Located | undefined;
  readonly names: Located | undefined;
}
export interface Items {
  readonly prefix: readonly Located[];
  readonly rest: Located | undefined;
}

/** From how many to how many. */
export function range(flat: Flat, what: Limited): [number, number] {
  const { low, high } = flat.limits[what] ?? {};
  if (low !== undefined && high !== undefined && low.value > high.value) {
    refuse(low.pointer, `(${low.value}) is more than ${high.pointer} (${high.value})`);
  }
  return [low?.value ?? 0, high?.value ?? Infinity];
}

import type { Expression } from './expression.js';
import type { Expressions } from './expressions.js';

/** Sorted, disjoint, inclusive ranges of Unicode scalar values (code points without surrogates). */
export type CharacterSet = readonly (readonly [number, number])[];

export const ALL_CHARACTERS: CharacterSet = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

export function characterSet(ranges: readonly (readonly [number, number])[]): CharacterSet {
  const sorted = ranges.filter(([low, high]) => low <= high).sort((a, b) => a[0] - b[0]);
  const result: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = result.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else result.push([low, high]);
  }
  return result.flatMap(withoutSurrogates);
}

function withoutSurrogates([low, high]: readonly [number, number]): (readonly [number, number])[] {
  const parts: [number, number][] = [
    [low, Math.min(high, 0xd7ff)],
    [Math.max(low, 0xe000), high],
  ];
  return parts.filter(([from, to]) => from <= to);
}

export function complement(set: CharacterSet): CharacterSet {
  const result: [number, number][] = [];
  let next = 0;
  for (const [low, high] of set) {
    result.push([next, low - 1]);
    next = high + 1;
  }
  result.push([next, 0x10ffff]);
  return characterSet(result);
}

/** JSON's short escapes, by code point. */
const SHORT_ESCAPES: Readonly<Record<number, string>> = {
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0c: '\\f',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

/**
 * One character of a JSON string, spelled as `JSON.stringify` does: escaped only where JSON demands it, with the short
 * escape where there is one.
 */
export function characters(e: Expressions, set: CharacterSet): Expression {
  const spellings: Expression[] = [];
  for (const [low, high] of set) {
    let from = low;
    for (let code = low; code <= Math.min(high, 0x5c); code++) {
      if (code >= 0x20 && code !== 0x22 && code !== 0x5c) continue;
      if (from < code) spellings.push(...utf8(e, from, code - 1));
      spellings.push(e.text(SHORT_ESCAPES[code] ?? `\\u${code.toString(16).padStart(4, '0')}`));
      from = code + 1;
    }
    if (from <= high) spellings.push(...utf8(e, from, high));
  }
  return e.choice(...spellings);
}

/** One character as it is, outside of JSON. */
export function rawCharacters(e: Expressions, set: CharacterSet): Expression {
  return e.choice(...set.flatMap(([low, high]) => utf8(e, low, high)));
}

/** The characters of a text inside a JSON string, as `JSON.stringify` spells them. */
export function spelled(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** UTF-8 of the code points of a range: one sequence of byte ranges for each part where the bytes vary freely. */
function utf8(e: Expressions, low: number, high: number): Expression[] {
  const limits = [0x7f, 0x7ff, 0xffff, 0x10ffff];
  const limit = limits.find((last) => low <= last && last < high);
  if (limit !== undefined) return [...utf8(e, low, limit), ...utf8(e, limit + 1, high)];
  for (const bits of [6, 12, 18]) {
    const mask = (1 << bits) - 1;
    if (high < 0x80 || low >> bits === high >> bits) break;
    if ((low & mask) !== 0) return [...utf8(e, low, low | mask), ...utf8(e, (low | mask) + 1, high)];
    if ((high & mask) !== mask) return [...utf8(e, low, (high & ~mask) - 1), ...utf8(e, high & ~mask, high)];
  }
  const from = encode(low);
  const to = encode(high);
  return [e.sequence(...from.map((byte, i) => e.range(byte, to[i])))];
}

function encode(code: number): number[] {
  return Array.from(new TextEncoder().encode(String.fromCodePoint(code)));
}

/** One character of a JSON string in any spelling: itself, a short escape, `\uXXXX`, or two of these for a pair. */
export function anyCharacter(e: Expressions): Expression {
  const plain = characters(e, [
    [0x20, 0x21],
    [0x23, 0x5b],
    [0x5d, 0xd7ff],
    [0xe000, 0x10ffff],
  ]);
  const hex = e.oneOf('0123456789abcdefABCDEF');
  const d = e.oneOf('dD');
  const unit = e.sequence(
    e.text('u'),
    e.choice(
      e.sequence(e.oneOf('0123456789abcefABCEF'), hex, hex, hex),
      e.sequence(d, e.oneOf('01234567'), hex, hex),
      e.sequence(d, e.oneOf('89abAB'), hex, hex, e.text('\\u'), d, e.oneOf('cdefCDEF'), hex, hex),
    ),
  );
  return e.choice(plain, e.sequence(e.text('\\'), e.choice(e.oneOf('"\\/bfnrt'), unit)));
}

import { characterSet, type CharacterSet } from './characters.js';

const properties = new Map<string, CharacterSet>();

/** Characters in stretches of equal length in UTF-16, so that a place in the text tells the character. */
const STRETCHES = [
  { low: 0, high: 0xd7ff, units: 1 },
  { low: 0xe000, high: 0xffff, units: 1 },
  { low: 0x10000, high: 0x10ffff, units: 2 },
] as const;
let stretches: readonly string[] | undefined;

/** The characters of a Unicode property escape such as `\p{L}`, asked of `RegExp` once for all of them. */
export function property(escape: string): CharacterSet {
  const known = properties.get(escape);
  if (known !== undefined) return known;
  stretches ??= STRETCHES.map(({ low, high }) => textOf(low, high));
  const runs = new RegExp(`${escape}+`, 'gu');
  const ranges = STRETCHES.flatMap(({ low, units }, i) =>
    Array.from(stretches![i].matchAll(runs), ({ 0: run, index }): [number, number] => {
      const from = low + index / units;
      return [from, from + run.length / units - 1];
    }),
  );
  const set = characterSet(ranges);
  properties.set(escape, set);
  return set;
}

function textOf(low: number, high: number): string {
  let text = '';
  for (let from = low; from <= high; from += 4096) {
    const length = Math.min(4096, high - from + 1);
    text += String.fromCodePoint(...Array.from({ length }, (_, i) => from + i));
  }
  return text;
}

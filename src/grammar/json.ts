import { ALL_CHARACTERS, anyCharacter, characters, characterSet, complement, spelled } from './characters.js';
import { EMPTY, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';

/** Between the parts of a value: nothing, one blank or one line end. */
export function blank(e: Expressions): Expression {
  return e.optional(e.oneOf(' \n'));
}

/** A JSON string whose characters are those of `body`. */
export function quoted(e: Expressions, body: Expression): Expression {
  return e.group(e.sequence(e.text('"'), body, e.text('"')));
}

/** Any characters, in any spelling, `min` to `max` of them. */
export function anyText(e: Expressions, min = 0, max = Infinity): Expression {
  return e.repeat(
    e.constant('any character', () => anyCharacter(e)),
    min,
    max,
  );
}

/** Any characters as `JSON.stringify` spells them, `min` to `max` of them. */
export function plainText(e: Expressions, min = 0, max = Infinity): Expression {
  const plain = e.constant('plain character', () => characters(e, ALL_CHARACTERS));
  return e.repeat(plain, min, max);
}

/** Any text but these, as `JSON.stringify` spells it. */
export function textBesides(e: Expressions, texts: readonly string[]): Expression {
  const besides = (rests: readonly (readonly number[])[]): Expression => {
    if (rests.length === 0) return plainText(e);
    const following = new Map<number, (readonly number[])[]>();
    for (const [first, ...rest] of rests.filter(({ length }) => length > 0)) {
      following.set(first, [...(following.get(first) ?? []), rest]);
    }
    const firsts = characterSet([...following.keys()].map((code) => [code, code]));
    return e.choice(
      rests.some(({ length }) => length === 0) ? e.choice() : EMPTY,
      e.sequence(characters(e, complement(firsts)), plainText(e)),
      ...[...following].map(([code, after]) => e.sequence(characters(e, [[code, code]]), besides(after))),
    );
  };
  const wellFormed = texts.filter((text) => !/\p{Surrogate}/u.test(text)); // no other text can come up
  return besides(wellFormed.map((text) => Array.from(text, (char) => char.codePointAt(0)!)));
}

/** `"name":` and the blank after it. */
export function key(e: Expressions, name: string): Expression {
  return e.sequence(e.text(`"${spelled(name)}":`), blank(e));
}

/** The words for three values. */
export interface ValueWords {
  readonly null: string;
  readonly true: string;
  readonly false: string;
}
export const JSON_WORDS: ValueWords = { null: 'null', true: 'true', false: 'false' };
export const PYTHON_WORDS: ValueWords = { null: 'None', true: 'True', false: 'False' };

/** One given value, spelled as `JSON.stringify` does, with the usual blanks. */
export function literal(e: Expressions, value: unknown, words = JSON_WORDS): Expression {
  const list = (open: string, items: readonly Expression[], close: string): Expression => {
    const separated = items.flatMap((item, i) => (i === 0 ? [item] : [e.text(','), blank(e), item]));
    const inside = items.length === 0 ? [] : [...separated, blank(e)];
    return e.sequence(e.text(open), blank(e), ...inside, e.text(close));
  };
  if (typeof value === 'string') return quoted(e, e.text(spelled(value)));
  if (Array.isArray(value)) return list('[', value.map((item) => literal(e, item, words)), ']'); // prettier-ignore
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, one]) => e.sequence(key(e, name), literal(e, one, words)));
    return list('{', members, '}');
  }
  if (typeof value === 'number') return e.text(JSON.stringify(value));
  return e.text(words[String(value) as keyof ValueWords]);
}

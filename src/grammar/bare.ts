import { ALL_CHARACTERS, characterSet, complement, rawCharacters } from './characters.js';
import { EMPTY, NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { range, type Flat } from './flat.js';
import { FORMATS } from './formats.js';
import { intersect } from './intersect.js';
import { blank } from './json.js';
import { refuse } from './located.js';
import { pattern, PatternError, type Writing } from './pattern.js';
import { textParameters } from './text-parameters.js';

/** How the members of an object are written where they are no JSON, though their values may be. */
export interface BareWriting {
  readonly separator: Expression;
  /**
   * @param value as JSON
   * @param flats what must hold of the value
   */
  member(name: string, value: Expression, flats: () => readonly Flat[], object: Flat): Expression;
}

/** Keyword arguments of a call in Python. */
export function keywordWriting(e: Expressions): BareWriting {
  return {
    separator: e.sequence(e.text(','), blank(e)),
    member(name, value, _, { pointer }) {
      if (!/^[A-Za-z_]\w*$/.test(name)) {
        refuse(pointer, `has a property ${JSON.stringify(name)}, which is no name in Python`);
      }
      return e.sequence(e.text(`${name}=`), value);
    },
  };
}

const CLOSE = '</parameter>';

/** Elements on lines of their own, `<parameter=NAME>`, in which texts stand as they are. */
export function elementWriting(e: Expressions, schema: unknown): BareWriting {
  const texts = textParameters(schema);
  return {
    separator: EMPTY,
    member(name, value, flats, { pointer }) {
      if (!/^[^\s<>]+$/.test(name)) {
        refuse(pointer, `has a property ${JSON.stringify(name)}, which is no name of an element`);
      }
      const inside = texts.has(name) ? e.choice(...flats().map((flat) => rawText(e, flat))) : value;
      return e.sequence(e.text(`<parameter=${name}>\n`), inside, e.text(`\n${CLOSE}\n`));
    },
  };
}

const RAW: Writing = { spell: rawCharacters, whole: false };
/** Up to so long a text is held to its length and kept free of the closing tag at once; a longer one has no `<` at all. */
const MOST_COUNTED = 128;

/** A text as it is, without the closing tag in it. */
function rawText(e: Expressions, flat: Flat): Expression {
  if (flat.values !== undefined) {
    const values = flat.values.texts.map((text) => JSON.parse(text) as unknown);
    const fitting = values.filter((value) => typeof value === 'string' && !value.includes(CLOSE));
    return e.choice(...fitting.map((value) => e.text(value as string)));
  }
  const [min, max] = range(flat, 'length');
  const free = e.constant('free of a closing parameter', () => {
    const any = e.repeat(
      e.constant('raw character', () => rawCharacters(e, ALL_CHARACTERS)),
      0,
      Infinity,
    );
    return intersect(e, [any], [e.sequence(any, e.text(CLOSE), any)])!;
  });
  const counted = Math.max(min, max === Infinity ? 0 : max);
  const character = counted > MOST_COUNTED ? complement(characterSet([[0x3c, 0x3c]])) : ALL_CHARACTERS;
  const parts = flat.patterns.map(({ source, pointer }) => ofPattern(e, source, pointer));
  for (const format of flat.formats) {
    if (Object.hasOwn(FORMATS, format)) parts.push(pattern(e, FORMATS[format], RAW));
  }
  if (counted > 0) parts.push(e.repeat(rawCharacters(e, character), min, max));
  if (counted > MOST_COUNTED && parts.length === 1) return parts[0];
  if (parts.length === 0) return free;
  const result = intersect(e, [...parts, ...(counted > MOST_COUNTED ? [] : [free])]);
  if (result === undefined) {
    refuse(flat.pointer, 'becomes too large with all limits of this text; simplify it or leave one out');
  }
  if (result === NEVER) refuse(flat.pointer, 'leaves no text together with the other limits of this text');
  return result;
}

function ofPattern(e: Expressions, source: string, pointer: string): Expression {
  try {
    return pattern(e, source, RAW);
  } catch (error) {
    if (error instanceof PatternError) refuse(pointer, `(${JSON.stringify(source)}) ${error.message}`);
    throw error;
  }
}

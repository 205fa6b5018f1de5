import { characterSet, complement, type CharacterSet } from './characters.js';

/** A part of a pattern that is not supported, or is malformed; the caller knows where the pattern stands. */
export class PatternError extends Error {}

/** A pattern, taken apart. */
export type Tree =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'anchor'; readonly at: '^' | '$' }
  | { readonly kind: 'lookahead'; readonly inner: Tree; readonly negative: boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
  | { readonly kind: 'choice'; readonly items: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly item: Tree; readonly min: number; readonly max: number };

/** @throws PatternError where `RegExp` does not take the source, or a part of it is not supported */
export function parsePattern(source: string): Tree {
  let unicode = true;
  try {
    new RegExp(source, 'u');
  } catch {
    unicode = false;
    try {
      new RegExp(source);
    } catch (error) {
      throw new PatternError(`is no regular expression: ${(error as Error).message}`);
    }
  }
  return new Parser(source, unicode).parse();
}

const DIGIT: CharacterSet = [[0x30, 0x39]];
const WORD = characterSet([[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]); // prettier-ignore
const SPACE = characterSet([
  [0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f],
  [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff],
]); // prettier-ignore
const LINE_ENDS = characterSet([[0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]]); // prettier-ignore
const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b };

/** A recursive-descent parser for sources that `RegExp` takes. */
class Parser {
  private readonly source: readonly string[];
  private position = 0;

  constructor(
    source: string,
    private readonly unicode: boolean,
  ) {
    this.source = [...source];
  }

  parse(): Tree {
    return this.choice();
  }

  private get next(): string | undefined {
    return this.source[this.position];
  }

  private take(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.position += text.length;
    return true;
  }

  private looksAt(text: string): boolean {
    return this.source.slice(this.position, this.position + text.length).join('') === text;
  }

  private choice(): Tree {
    const items = [this.sequence()];
    while (this.take('|')) items.push(this.sequence());
    return items.length === 1 ? items[0] : { kind: 'choice', items };
  }

  private sequence(): Tree {
    const parts: Tree[] = [];
    while (this.next !== undefined && this.next !== '|' && this.next !== ')') parts.push(this.repeated());
    return parts.length === 1 ? parts[0] : { kind: 'sequence', parts };
  }

  private repeated(): Tree {
    const item = this.atom();
    const [min, max] = this.quantifier() ?? [1, 1];
    return min === 1 && max === 1 ? item : { kind: 'repeat', item, min, max };
  }

  private quantifier(): [number, number] | undefined {
    let counts: [number, number] | undefined;
    if (this.take('*')) counts = [0, Infinity];
    else if (this.take('+')) counts = [1, Infinity];
    else if (this.take('?')) counts = [0, 1];
    else {
      const match = /^\{(\d+)(,(\d*))?\}/.exec(this.source.slice(this.position, this.position + 40).join(''));
      if (match === null) return undefined;
      const min = Number(match[1]);
      counts = [min, match[2] === undefined ? min : match[3] === '' ? Infinity : Number(match[3])];
      this.position += match[0].length;
    }
    this.take('?'); // which match is found first does not change what matches
    return counts;
  }

  private atom(): Tree {
    const char = this.source[this.position++];
    switch (char) {
      case '^':
      case '$':
        return { kind: 'anchor', at: char };
      case '.':
        return { kind: 'set', set: complement(LINE_ENDS) };
      case '[':
        return { kind: 'set', set: this.bracket() };
      case '(':
        return this.group();
      case '\\':
        if (this.next === 'A' || this.next === 'Z' || this.next === 'z') {
          return { kind: 'anchor', at: this.source[this.position++] === 'A' ? '^' : '$' };
        }
        return { kind: 'set', set: this.escape(false) };
      default:
        return { kind: 'set', set: single(char.codePointAt(0)!) };
    }
  }

  private group(): Tree {
    if (this.take('?')) {
      if (this.next === '=' || this.next === '!') {
        const negative = this.source[this.position++] === '!';
        const ahead = this.choice();
        this.position++; // the closing parenthesis
        return { kind: 'lookahead', inner: ahead, negative };
      }
      if (!this.take(':')) {
        if (this.next !== '<' || ['=', '!'].includes(this.source[this.position + 1])) {
          throw new PatternError('has a lookbehind or modifiers, which are not supported');
        }
        while (this.source[this.position++] !== '>'); // a name
      }
    }
    const inner = this.choice();
    this.position++; // the closing parenthesis
    return inner;
  }

  private bracket(): CharacterSet {
    const negated = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    while (!this.take(']')) {
      const low = this.member();
      const range = this.next === '-' && this.source[this.position + 1] !== ']';
      if (!range || low.length !== 1 || low[0][0] !== low[0][1]) {
        ranges.push(...low);
        continue;
      }
      this.position++;
      const high = this.member();
      if (high.length === 1 && high[0][0] === high[0][1]) ranges.push([low[0][0], high[0][0]]);
      else ranges.push(...low, ...single(0x2d), ...high);
    }
    const set = characterSet(ranges);
    return negated ? complement(set) : set;
  }

  private member(): CharacterSet {
    const char = this.source[this.position++];
    return char === '\\' ? this.escape(true) : single(char.codePointAt(0)!);
  }

  private escape(inBracket: boolean): CharacterSet {
    const char = this.source[this.position++];
    if (char in CLASSES) return CLASSES[char];
    if (char in CONTROLS) return single(CONTROLS[char]);
    switch (char) {
      case 'b':
        if (inBracket) return single(0x08);
        throw new PatternError('has a word boundary, which is not supported');
      case 'B':
        throw new PatternError('has a word boundary, which is not supported');
      case 'c':
        return single(this.source[this.position++].charCodeAt(0) % 32);
      case 'x':
        return this.hex(2) ?? single(0x78);
      case 'u':
        return this.unicodeEscape();
      case 'p':
      case 'P':
        if (this.unicode) return this.property(char);
        break;
      case '0':
        if (!/\d/.test(this.next ?? '')) return single(0);
        break;
      case 'k':
        throw new PatternError('refers back to a group, which is not supported');
    }
    if (/\d/.test(char)) throw new PatternError('refers back to a group, which is not supported');
    // Other languages mean something by these; ECMA-262 alone would take them for letters.
    if (/[a-zA-Z]/.test(char)) throw new PatternError(`has "\\${char}", which is no escape of ECMA-262`);
    return single(char.codePointAt(0)!);
  }

  private hex(length: number): CharacterSet | undefined {
    const text = this.source.slice(this.position, this.position + length).join('');
    if (!new RegExp(`^[0-9a-fA-F]{${length}}$`).test(text)) return undefined;
    this.position += length;
    return single(parseInt(text, 16));
  }

  private unicodeEscape(): CharacterSet {
    if (this.unicode && this.take('{')) {
      const end = this.source.indexOf('}', this.position);
      const code = parseInt(this.source.slice(this.position, end).join(''), 16);
      this.position = end + 1;
      return single(code);
    }
    const first = this.hex(4);
    if (first === undefined) return single(0x75);
    const [code] = first[0];
    if (code < 0xd800 || code > 0xdbff || !this.take('\\u')) return first;
    const second = this.hex(4)?.[0][0];
    if (second === undefined || second < 0xdc00 || second > 0xdfff) {
      throw new PatternError('has half of a surrogate pair, which is no character');
    }
    return single(0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00));
  }

  private property(letter: string): CharacterSet {
    const end = this.source.indexOf('}', this.position);
    const name = this.source.slice(this.position, end + 1).join('');
    this.position = end + 1;
    return property(`\\${letter}${name}`);
  }
}

function single(code: number): CharacterSet {
  return [[code, code]];
}

const properties = new Map<string, CharacterSet>();

/** Characters in stretches of equal length in UTF-16, so that a place in the text tells the character. */
const STRETCHES = [
  { low: 0, high: 0xd7ff, units: 1 },
  { low: 0xe000, high: 0xffff, units: 1 },
  { low: 0x10000, high: 0x10ffff, units: 2 },
] as const;
let stretches: readonly string[] | undefined;

/** The characters of a Unicode property escape, asked of `RegExp` once for all of them. */
function property(escape: string): CharacterSet {
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

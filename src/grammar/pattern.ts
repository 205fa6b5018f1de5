import { ALL_CHARACTERS, characters, characterSet, complement, type CharacterSet } from './characters.js';
import type { Expression, Expressions } from './expression.js';
import { intersect } from './intersect.js';

/** A part of a pattern that is not supported, or is malformed; the caller knows where the pattern stands. */
export class PatternError extends Error {}

/** Most characters a pattern may have with its counted repetitions written out. */
const MAX_SIZE = 2048;

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

type Tree =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'anchor'; readonly at: '^' | '$' }
  | { readonly kind: 'lookahead'; readonly inner: Tree; readonly negative: boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
  | { readonly kind: 'choice'; readonly items: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly item: Tree; readonly min: number; readonly max: number };

/**
 * The texts that match an ECMA-262 pattern anywhere, as JSON Schema has it, spelled as `JSON.stringify` spells them.
 * Anchors may stand at the edges of the whole pattern and of its alternatives, lookaheads anywhere but in groups that
 * more follows; there are no other lookarounds, no references and no word boundaries. `\A`, `\Z` and `\z` are the
 * anchors that they are in Python and Rust.
 * @throws PatternError
 */
export function pattern(e: Expressions, source: string): Expression {
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
  const tree = new Parser(source, unicode).parse();
  if (size(tree) > MAX_SIZE) {
    throw new PatternError(`stands for more than ${MAX_SIZE} characters with its repetitions written out`);
  }
  return matching(e, tree);
}

const isAnchor = (part: Tree | undefined, at: '^' | '$'): boolean => part?.kind === 'anchor' && part.at === at;

/** The texts that match a pattern. */
function matching(e: Expressions, tree: Tree): Expression {
  const anything = e.repeat(characters(e, ALL_CHARACTERS), 0, Infinity);
  return e.choice(
    ...alternatives(tree).map((parts) => {
      const start = isAnchor(parts[0], '^');
      const end = isAnchor(parts.at(-1), '$');
      const between = parts.slice(parts.findIndex((part) => !isAnchor(part, '^')));
      while (isAnchor(between.at(-1), '$')) between.pop();
      const first = between.findIndex((part) => part.kind !== 'lookahead');
      // From the end to the beginning: what stands ahead is about all that follows.
      let rest = end ? e.text('') : anything;
      for (let i = between.length - 1; i >= 0;) {
        const ahead: Lookahead[] = [];
        for (; i >= 0; i--) {
          const part = between[i];
          if (part.kind !== 'lookahead') break;
          if (first >= 0 && i > first && holdsStart(part.inner)) {
            throw new PatternError('has "^" in a lookahead that is not at the beginning');
          }
          ahead.push(part);
        }
        if (ahead.length > 0) rest = looking(e, rest, ahead);
        else rest = e.sequence(lower(e, between[i--]), rest);
      }
      return start ? rest : e.sequence(anything, rest);
    }),
  );
}

/**
 * The alternatives of a pattern, their anchors and lookaheads brought to the outside where they stand in a group at the
 * very end.
 */
function alternatives(tree: Tree): Tree[][] {
  if (tree.kind === 'choice') return tree.items.flatMap(alternatives);
  if (tree.kind === 'repeat' && tree.min === 0 && tree.max === 1 && isZeroWidth(tree.item)) {
    return [[], ...alternatives(tree.item)];
  }
  if (tree.kind !== 'sequence') return [[tree]];
  const parts = [...tree.parts];
  const ends: Tree[] = [];
  while (isAnchor(parts.at(-1), '$')) ends.push(parts.pop()!);
  const last = parts.at(-1);
  if (last === undefined || last.kind === 'anchor' || last.kind === 'lookahead' || !isZeroWidth(last)) {
    return [[...tree.parts]];
  }
  const all = alternatives(last).map((one) => [...parts.slice(0, -1), ...one, ...ends]);
  if (all.length > MAX_ALTERNATIVES) throw new PatternError('has too many lookaheads in groups; simplify it');
  return all;
}

const MAX_ALTERNATIVES = 64;

/** Whether a part holds an anchor or a lookahead. */
function isZeroWidth(tree: Tree): boolean {
  switch (tree.kind) {
    case 'set':
      return false;
    case 'anchor':
    case 'lookahead':
      return true;
    case 'sequence':
      return tree.parts.some(isZeroWidth);
    case 'choice':
      return tree.items.some(isZeroWidth);
    case 'repeat':
      return isZeroWidth(tree.item);
  }
}

function holdsStart(tree: Tree): boolean {
  if (tree.kind === 'sequence') return tree.parts.some(holdsStart);
  if (tree.kind === 'choice') return tree.items.some(holdsStart);
  if (tree.kind === 'repeat') return holdsStart(tree.item);
  return tree.kind === 'lookahead' ? holdsStart(tree.inner) : isAnchor(tree, '^');
}

type Lookahead = Extract<Tree, { kind: 'lookahead' }>;

/** Of the texts of `whole`, those that what stands ahead of its beginning lets through. */
function looking(e: Expressions, whole: Expression, ahead: readonly Lookahead[]): Expression {
  const texts = (negative: boolean): Expression[] =>
    ahead.filter((one) => one.negative === negative).map(({ inner }) => matching(e, anchored(inner)));
  const result = intersect(e, [whole, ...texts(false)], texts(true));
  if (result === undefined) throw new PatternError('becomes too large with its lookaheads; simplify it');
  return result;
}

/** A lookahead begins where it stands, at the beginning of the text. */
function anchored(tree: Tree): Tree {
  if (tree.kind === 'choice') return { kind: 'choice', items: tree.items.map(anchored) };
  return {
    kind: 'sequence',
    parts: [{ kind: 'anchor', at: '^' }, ...(tree.kind === 'sequence' ? tree.parts : [tree])],
  };
}

function size(tree: Tree): number {
  switch (tree.kind) {
    case 'set':
      return 1;
    case 'anchor':
      return 0;
    case 'sequence':
      return tree.parts.reduce((sum, part) => sum + size(part), 0);
    case 'choice':
      return tree.items.reduce((sum, item) => sum + size(item), 0);
    case 'lookahead':
      return size(tree.inner);
    case 'repeat':
      return size(tree.item) * Math.max(1, tree.max === Infinity ? tree.min : tree.max);
  }
}

function lower(e: Expressions, tree: Tree): Expression {
  switch (tree.kind) {
    case 'set':
      return characters(e, characterSet(tree.set)); // without halves of surrogate pairs
    case 'anchor':
      throw new PatternError(`has "${tree.at}" where it is not the edge of the pattern`);
    case 'lookahead':
      throw new PatternError('has a lookahead inside a group that more follows, which is not supported');
    case 'sequence':
      return e.sequence(...tree.parts.map((part) => lower(e, part)));
    case 'choice':
      return e.choice(...tree.items.map((item) => lower(e, item)));
    case 'repeat':
      return e.repeat(lower(e, tree.item), tree.min, tree.max);
  }
}

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

import { RegExpParser, type AST } from '@eslint-community/regexpp';
import { characterSet, complement, type CharacterSet } from './characters.js';
import { property } from './properties.js';

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
export function schemaPattern(source: string): Tree {
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
  try {
    return choice(new RegExpParser().parsePattern(source, 0, source.length, { unicode }).alternatives);
  } catch (error) {
    if (error instanceof PatternError) throw error;
    if (error instanceof RangeError) throw new PatternError('has too many groups within each other');
    throw new PatternError(`is not supported: ${(error as Error).message}`);
  }
}

const LINE_ENDS = characterSet([[0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]]); // prettier-ignore
const CLASSES: Readonly<Record<AST.EscapeCharacterSet['kind'], CharacterSet>> = {
  digit: [[0x30, 0x39]],
  word: characterSet([[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]), // prettier-ignore
  space: characterSet([
    [0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f],
    [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff],
  ]), // prettier-ignore
};
/** What other languages write for the edges of a text; without the flag `u`, ECMA-262 takes them for letters. */
const EDGES: Readonly<Record<string, '^' | '$'>> = { '\\A': '^', '\\Z': '$', '\\z': '$' };

function choice(alternatives: readonly AST.Alternative[]): Tree {
  const items = alternatives.map(({ elements }) => sequence(elements));
  return items.length === 1 ? items[0] : { kind: 'choice', items };
}

function sequence(elements: readonly AST.Element[]): Tree {
  const parts = [...joined(elements)].map(({ node, value }) => repeated(node, value));
  return parts.length === 1 ? parts[0] : { kind: 'sequence', parts };
}

function repeated(node: AST.Element, value: number | undefined): Tree {
  if (node.type !== 'Quantifier') return atom(node, value);
  const item = atom(node.element, value);
  const { min, max } = node; // which match is found first does not change what matches, so laziness does not matter
  return min === 1 && max === 1 ? item : { kind: 'repeat', item, min, max };
}

/** @param value the character, where it is one */
function atom(node: AST.QuantifiableElement | AST.Element, value: number | undefined): Tree {
  switch (node.type) {
    case 'Assertion':
      return assertion(node);
    case 'Backreference':
      throw new PatternError('refers back to a group, which is not supported');
    case 'Group':
      if (node.modifiers !== null) throw new PatternError(LOOKS_OR_MODIFIES);
      return choice(node.alternatives);
    case 'CapturingGroup':
      return choice(node.alternatives);
    case 'Character':
      if (Object.hasOwn(EDGES, node.raw)) return { kind: 'anchor', at: EDGES[node.raw] };
      return { kind: 'set', set: single(node, value) };
    case 'CharacterClass':
      return { kind: 'set', set: bracket(node) };
    case 'CharacterSet':
      return { kind: 'set', set: named(node) };
    default:
      throw new PatternError(`has ${JSON.stringify(node.raw)}, which is not supported`);
  }
}

const LOOKS_OR_MODIFIES = 'has a lookbehind or modifiers, which are not supported';

function assertion(node: AST.Assertion): Tree {
  switch (node.kind) {
    case 'start':
      return { kind: 'anchor', at: '^' };
    case 'end':
      return { kind: 'anchor', at: '$' };
    case 'word':
      throw new PatternError('has a word boundary, which is not supported');
    case 'lookahead':
      return { kind: 'lookahead', inner: choice(node.alternatives), negative: node.negate };
    case 'lookbehind':
      throw new PatternError(LOOKS_OR_MODIFIES);
  }
}

/** Characters of a set in brackets. */
function bracket({ elements, negate }: AST.CharacterClass): CharacterSet {
  const ranges: (readonly [number, number])[] = [];
  for (const { node, value } of joined(elements)) {
    if (node.type === 'Character') ranges.push(...single(node, value));
    else if (node.type === 'CharacterClassRange')
      ranges.push([single(node.min)[0][0], value ?? single(node.max)[0][0]]);
    else if (node.type === 'CharacterSet') ranges.push(...named(node));
    else throw new PatternError(`has ${JSON.stringify(node.raw)}, which is not supported`);
  }
  const set = characterSet(ranges);
  return negate ? complement(set) : set;
}

/** A dot, `\d`, `\p{L}` and their like. */
function named(node: AST.CharacterSet): CharacterSet {
  if (node.kind === 'any') return complement(LINE_ENDS);
  if (node.kind === 'property') return property(node.raw);
  return node.negate ? complement(CLASSES[node.kind]) : CLASSES[node.kind];
}

function single({ raw, value }: AST.Character, whole: number = value): CharacterSet {
  // Other languages mean something by these; ECMA-262 alone would take them for letters.
  if (raw === '\\') throw new PatternError('has "\\c", which is no escape of ECMA-262 without a letter');
  if (/^\\[a-zA-Z]$/.test(raw) && !/[bcfnrtuvx]/.test(raw)) {
    if (raw === '\\k') throw new PatternError('refers back to a group, which is not supported');
    throw new PatternError(`has "${raw}", which is no escape of ECMA-262`);
  }
  if (/^\\(?:[1-9]|0\d)/.test(raw)) throw new PatternError('refers back to a group, which is not supported');
  return [[whole, whole]];
}

const isHigh = (value: number): boolean => value >= 0xd800 && value <= 0xdbff;
const isLow = (value: number): boolean => value >= 0xdc00 && value <= 0xdfff;

/**
 * Without the flag `u`, RegExp takes a character beyond 0xffff for two; here the halves are one again, repeated or the
 * end of a range as the second is or the first.
 */
function* joined<T extends AST.Node>(nodes: readonly T[]): Generator<{ readonly node: T; readonly value?: number }> {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    const high = lastOf(node);
    const next = nodes.at(i + 1);
    const low = next === undefined ? undefined : firstOf(next);
    if (high === undefined || low === undefined || !isHigh(high.value)) {
      yield { node };
      continue;
    }
    if (!isLow(low.value)) {
      if (low.raw.startsWith('\\u')) throw new PatternError('has half of a surrogate pair, which is no character');
      yield { node };
      continue;
    }
    i++;
    const value = 0x10000 + ((high.value - 0xd800) << 10) + (low.value - 0xdc00);
    yield { node: node.type === 'CharacterClassRange' ? node : next!, value };
  }
}

/** The character a part ends with, if what follows it may be its second half. */
function lastOf(node: AST.Node): AST.Character | undefined {
  if (node.type === 'CharacterClassRange') return node.max;
  return node.type === 'Character' ? node : undefined;
}

/** The character a part begins with, if it may be the second half of what stands before. */
function firstOf(node: AST.Node): AST.Character | undefined {
  if (node.type === 'Quantifier') return node.element.type === 'Character' ? node.element : undefined;
  return node.type === 'Character' ? node : undefined;
}

import { ALL_CHARACTERS, characters, characterSet, rawCharacters } from './characters.js';
import { NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { intersect } from './intersect.js';
import { countedWays, isPlain } from './length-bound.js';
import { schemaPattern, PatternError, type Tree } from './pattern-parser.js';

export { PatternError };

/** Most characters a pattern may have with its counted repetitions written out. */
const MAX_SIZE = 2048;

/**
 * The texts that match an ECMA-262 pattern anywhere, as JSON Schema has it, spelled as `JSON.stringify` spells them.
 * Anchors may stand at the edges of the whole pattern and of its alternatives, lookaheads anywhere but in groups that
 * more follows; there are no other lookarounds, no references and no word boundaries. `\A`, `\Z` and `\z` are the
 * anchors that they are in Python and Rust.
 * @throws PatternError
 */
export function pattern(e: Expressions, source: string, writing = IN_JSON): Expression {
  const tree = schemaPattern(source);
  if (size(tree) > MAX_SIZE) {
    throw new PatternError(`stands for more than ${MAX_SIZE} characters with its repetitions written out`);
  }
  return matching(e, tree, writing);
}

/** How the texts of a pattern are written. */
export interface Writing {
  readonly spell: typeof characters;
  /** They match from beginning to end, anchors or not. */
  readonly whole: boolean;
}

const IN_JSON: Writing = { spell: characters, whole: false };
/** A text that is all there is. */
export const PLAIN: Writing = { spell: rawCharacters, whole: true };

const isAnchor = (part: Tree | undefined, at: '^' | '$'): boolean => part?.kind === 'anchor' && part.at === at;

/** The texts that match a pattern. */
function matching(e: Expressions, tree: Tree, writing: Writing): Expression {
  const anything = e.repeat(writing.spell(e, ALL_CHARACTERS), 0, Infinity);
  return e.choice(
    ...alternatives(tree).map((parts) => {
      const start = writing.whole || isAnchor(parts[0], '^');
      const end = writing.whole || isAnchor(parts.at(-1), '$');
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
        if (ahead.length > 0) rest = looking(e, rest, ahead, writing);
        else rest = e.sequence(lower(e, between[i--], writing), rest);
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
function looking(e: Expressions, whole: Expression, ahead: readonly Lookahead[], { spell }: Writing): Expression {
  const texts = (inner: Tree): Expression => matching(e, anchored(inner), { spell, whole: false });
  const inners = (negative: boolean): Tree[] =>
    ahead.filter((one) => one.negative === negative).map(({ inner }) => inner);
  const wanted = inners(false);
  const without = inners(true).map(texts);
  const among = (trees: readonly Tree[]): Expression => {
    const result = intersect(e, [whole, ...trees.map(texts)], without);
    if (result === undefined) throw new PatternError('becomes too large with its lookaheads; simplify it');
    return result;
  };
  const counts = wanted.findIndex((inner) => countedWays(inner) !== undefined);
  if (counts < 0) return among(wanted);
  const ways = countedWays(wanted[counts])!.map(({ free, most }) => {
    const counted = among(wanted.map((inner, at) => (at === counts ? free : inner)));
    return counted === NEVER || isPlain(counted) ? e.within(counted, most) : undefined;
  });
  return ways.every((way) => way !== undefined) ? e.choice(...ways) : among(wanted);
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

function lower(e: Expressions, tree: Tree, writing: Writing): Expression {
  switch (tree.kind) {
    case 'set':
      return writing.spell(e, characterSet(tree.set)); // without halves of surrogate pairs
    case 'anchor':
      throw new PatternError(`has "${tree.at}" where it is not the edge of the pattern`);
    case 'lookahead':
      throw new PatternError('has a lookahead inside a group that more follows, which is not supported');
    case 'sequence':
      return e.sequence(...tree.parts.map((part) => lower(e, part, writing)));
    case 'choice':
      return e.choice(...tree.items.map((item) => lower(e, item, writing)));
    case 'repeat':
      return e.repeat(lower(e, tree.item, writing), tree.min, tree.max);
  }
}

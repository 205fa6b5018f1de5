import type { Expression, State } from './expression.js';
import { NEVER } from './expression.js';
import type { Tree } from './pattern-parser.js';

/** Fewer characters are counted by an automaton's states like anything else. */
const LEAST_COUNTED = 64;
/** Optional characters behind what is counted, each of which doubles the ways to count. */
const MOST_OPTIONAL = 3;

/** One way in which a text fits a lookahead that counts its characters. */
export interface Counted {
  /** The same without its count. */
  readonly free: Tree;
  /** Most characters of such a text. */
  readonly most: number;
}

/**
 * A lookahead that holds all of the text to a number of characters, as `(?=.{1,253}\.?$)` of host names does, as the ways
 * to fit it; undefined for any other.
 */
export function countedWays(lookahead: Tree): readonly Counted[] | undefined {
  if (lookahead.kind !== 'sequence') return undefined;
  const [first, ...rest] = lookahead.parts;
  const end = rest.pop();
  if (end?.kind !== 'anchor' || end.at !== '$' || first.kind !== 'repeat' || first.item.kind !== 'set')
    return undefined;
  if (first.max === Infinity || first.max < LEAST_COUNTED) return undefined;
  const free: Tree = { ...first, max: Infinity };
  let tails: Tree[][] = [[]];
  for (const part of rest) {
    const single = part.kind === 'repeat' && part.min === 0 && part.max === 1 ? part.item : part;
    if (single.kind !== 'set') return undefined;
    const taken = tails.map((tail) => [...tail, single]);
    tails = single === part ? taken : [...tails, ...taken];
    if (tails.length > 2 ** MOST_OPTIONAL) return undefined;
  }
  return tails.map((tail) => ({
    free: { kind: 'sequence', parts: [free, ...tail, end] },
    most: first.max + tail.length,
  }));
}

/** Whether each character of an automaton's texts is a byte that stands for itself, in JSON too. */
export function isPlain(automaton: Expression): automaton is State {
  const seen = new Set<Expression>([automaton]);
  for (const state of seen) {
    if (state.kind === 'empty') continue;
    if (state.kind !== 'state') return false;
    for (let byte = 0; byte < 256; byte++) {
      const next = state.next[state.classOf[byte]];
      if (next === NEVER) continue;
      if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
      seen.add(next);
    }
  }
  return automaton.kind === 'state';
}

const shortest = new WeakMap<Expression, number>();

/** Bytes of the shortest text of an automaton. */
export function shortestOf(automaton: Expression): number {
  let length = shortest.get(automaton);
  if (length === undefined) shortest.set(automaton, (length = search(automaton)));
  return length;
}

function search(automaton: Expression): number {
  const seen = new Set<Expression>([automaton]);
  let level: Expression[] = [automaton];
  for (let length = 0; level.length > 0; length++) {
    if (level.some(({ nullable }) => nullable)) return length;
    const following: Expression[] = [];
    for (const state of level) {
      for (const next of state.kind === 'state' ? state.next : []) {
        if (next === NEVER || seen.has(next)) continue;
        seen.add(next);
        following.push(next);
      }
    }
    level = following;
  }
  return Infinity;
}

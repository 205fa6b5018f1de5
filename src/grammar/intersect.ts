import { hasByte } from './byte-set.js';
import { EMPTY, NEVER, type Expression, type State } from './expression.js';
import type { Expressions } from './expressions.js';
import type { Work } from './work.js';

/** Most states an intersection may have. */
const MAX_STATES = 10_000;

/**
 * What fits all the expressions and none of `without`: the product of their automata, without the states from which the
 * end cannot be reached. NEVER if nothing does, undefined if the product has too many states.
 */
export function intersect(
  e: Expressions,
  wanted: readonly Expression[],
  without: readonly Expression[] = [],
): Expression | undefined {
  const parts = [...wanted, ...without];
  const { classOf, representatives } = byteClasses(parts, e.work);
  interface Product {
    readonly parts: readonly Expression[];
    readonly next: number[];
    readonly from: number[];
  }
  const states: Product[] = [];
  const index = new Map<string, number>();
  const add = (tuple: readonly Expression[]): number => {
    const key = tuple.map(({ id }) => id).join();
    let state = index.get(key);
    if (state === undefined) {
      index.set(key, (state = states.length));
      states.push({ parts: tuple, next: [], from: [] });
    }
    return state;
  };
  add(parts);
  for (let i = 0; i < states.length; i++) {
    if (states.length > MAX_STATES) return undefined;
    e.work.spend(representatives.length * parts.length);
    for (const byte of representatives) {
      const after = states[i].parts.map((part) => e.derive(part, byte));
      if (after.indexOf(NEVER) >= 0 && after.indexOf(NEVER) < wanted.length) {
        states[i].next.push(-1);
        continue;
      }
      const to = add(after);
      states[i].next.push(to);
      states[to].from.push(i);
    }
  }

  const nullable = states.map((state) => state.parts.every((part, i) => part.nullable === i < wanted.length));
  const ends = states.flatMap((_, i) => (nullable[i] ? [i] : []));
  const useful = reaching(ends, (i) => states[i].from);
  if (!useful.has(0)) return NEVER;
  const singles = representatives.map((_, one) =>
    Array.from({ length: 256 }, (_, byte) => byte).some((byte) => classOf[byte] === one && hasByte(e.single, byte)),
  );
  const live = reaching(ends, (i) =>
    states[i].from.filter((from) => states[from].next.some((to, one) => to === i && singles[one])),
  );

  const nodes = states.map((_, i) => {
    const next: Expression[] = [];
    const state: State = { kind: 'state', id: e.newId(), nullable: nullable[i], live: live.has(i), classOf, next };
    return { state, next };
  });
  // A state that only ends is the end, so that what follows can be joined to it.
  const node = (i: number): Expression => {
    if (i < 0 || !useful.has(i)) return NEVER;
    return nullable[i] && !states[i].next.some((to) => to >= 0 && useful.has(to)) ? EMPTY : nodes[i].state;
  };
  states.forEach((state, i) => nodes[i].next.push(...state.next.map(node)));
  return node(0);
}

/** All states from which one of `ends` can be reached, them included. */
function reaching(ends: readonly number[], from: (state: number) => readonly number[]): Set<number> {
  const found = new Set(ends);
  for (const state of found) for (const before of from(state)) found.add(before);
  return found;
}

/** Bytes that no part of the expressions tells apart share a class; one byte of each stands for it. */
function byteClasses(parts: readonly Expression[], work: Work): { classOf: Uint8Array; representatives: number[] } {
  const sets = new Set<Uint32Array>();
  const seen = new Set<Expression>();
  // All states of an automaton share its classes.
  const automata = new Set<Uint8Array>();
  const visit = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    for (let at = expression; ; at = at.rest) {
      if (at.kind !== 'sequence') {
        if (at !== expression) visit(at);
        else if (at.kind === 'bytes') sets.add(at.set);
        else if (at.kind === 'choice') at.items.forEach(visit);
        else if (at.kind === 'repeat') visit(at.item);
        else if (at.kind === 'group' || at.kind === 'within') visit(at.inner);
        else if (at.kind === 'state') {
          automata.add(at.classOf);
          at.next.forEach(visit);
        }
        return;
      }
      visit(at.first);
    }
  };
  parts.forEach(visit);
  work.spend((256 * (sets.size + automata.size + 1)) / 64);
  const classOf = new Uint8Array(256);
  const classes = new Map<string, number>();
  const representatives: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const inSets = [...sets].map((set) => (hasByte(set, byte) ? '1' : '0')).join('');
    const key = [inSets, ...[...automata].map((classes) => classes[byte])].join();
    let one = classes.get(key);
    if (one === undefined) {
      classes.set(key, (one = representatives.length));
      representatives.push(byte);
    }
    classOf[byte] = one;
  }
  return { classOf, representatives };
}

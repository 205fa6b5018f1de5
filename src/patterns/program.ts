import { Beginnings } from './beginnings.js';
import { CharacterTest } from './character-set.js';
import { OP } from './operations.js';
import { Pages } from './tried-places.js';
import type { Node } from './tree.js';

/** Instructions of an expression; `{1,1000}` counts as a thousand. */
const MOST = 8192;

/** An expression for `Search`. The instruction 0 accepts. */
export interface Program {
  readonly ops: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly sets: readonly CharacterTest[];
  readonly begin: number;
  /** Whether it looks ahead or behind for more than a character. */
  readonly looksFar: boolean;
  readonly beginnings: Beginnings;
  readonly pages: Pages;
}

/**
 * @param flags of JavaScript's by which the sources of sets are read
 * @throws Error for an expression that is too long
 */
export function compileTree(tree: Node, flags: string): Program {
  const code: [number, number, number][] = [[OP.accept, 0, 0]];
  const sets: CharacterTest[] = [];
  const known = new Map<string, number>();

  const emit = (op: number, a: number, b: number): number => {
    if (code.length === MOST) throw new Error(`it has more than ${MOST} parts`);
    return code.push([op, a, b]) - 1;
  };
  const setOf = (source: string): number => {
    const found = known.get(source) ?? sets.push(new CharacterTest(source, flags)) - 1;
    known.set(source, found);
    return found;
  };

  /** Instructions of a part that go on to `next`; they are made from the last to the first. */
  function compile(node: Node, next: number, backwards: boolean): number {
    switch (node.kind) {
      case 'set':
        return emit(backwards ? OP.oneBehind : OP.one, setOf(node.source), next);
      case 'sequence': {
        const items = backwards ? node.items : node.items.toReversed();
        return items.reduce((after, item) => compile(item, after, backwards), next);
      }
      case 'choice': {
        const begins = node.options.map((option) => compile(option, next, backwards));
        return begins.reduceRight((other, begin) => emit(OP.either, begin, other));
      }
      case 'repeat':
        return repeat(node, next, backwards);
      case 'look': {
        const { item, behind, negated } = node;
        if (item.kind === 'set') {
          const op = behind ? (negated ? OP.notBehind : OP.behind) : negated ? OP.notAhead : OP.ahead;
          return emit(op, setOf(item.source), next);
        }
        return emit(negated ? OP.findsNot : OP.finds, compile(item, 0, behind), next);
      }
    }
  }

  function repeat(node: Extract<Node, { kind: 'repeat' }>, next: number, backwards: boolean): number {
    const { item, min, max, lazy } = node;
    let begin = next;
    if (max === Infinity && item.kind === 'set' && !lazy && !backwards) {
      begin = emit(OP.many, setOf(item.source), next);
    } else if (max === Infinity) {
      begin = emit(OP.either, 0, 0);
      const body = compile(item, begin, backwards);
      code[begin] = lazy ? [OP.either, next, body] : [OP.either, body, next];
    } else {
      for (let i = min; i < max; i++) {
        const body = compile(item, begin, backwards);
        begin = lazy ? emit(OP.either, next, body) : emit(OP.either, body, next);
      }
    }
    for (let i = 0; i < min; i++) begin = compile(item, begin, backwards);
    return begin;
  }

  const begin = compile(tree, 0, false);
  const instructions = {
    ops: Uint8Array.from(code, ([op]) => op),
    a: Int32Array.from(code, ([, a]) => a),
    b: Int32Array.from(code, ([, , b]) => b),
    sets,
  };
  const looksFar = code.some(([op]) => op === OP.finds || op === OP.findsNot);
  return { ...instructions, begin, looksFar, beginnings: new Beginnings(instructions), pages: new Pages(code.length) };
}

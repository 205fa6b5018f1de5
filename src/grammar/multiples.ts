import { hasByte } from './byte-set.js';
import { NEVER, type Expression, type State } from './expression.js';
import type { Expressions } from './expressions.js';
import { intersect } from './intersect.js';
import { integer, span, type Bounds } from './numbers.js';

/** Most values that are written out one by one. */
const MOST_WRITTEN = 1024;

/**
 * The integers of the bounds that `factor` divides; NEVER where there is none, undefined where the factor is too large
 * for bounds so wide: the automaton has a state for every remainder and every number of digits.
 */
export function multiples(e: Expressions, bounds: Bounds, factor: number): Expression | undefined {
  const [from, to] = span(bounds);
  const [first, last] = [Math.ceil(from / factor), Math.floor(to / factor)];
  if (last < first) return NEVER;
  if (last - first < MOST_WRITTEN) {
    return e.choice(...Array.from({ length: last - first + 1 }, (_, i) => e.text(String((first + i) * factor))));
  }
  const divided = remainders(e, factor);
  return divided && intersect(e, [integer(e, bounds), e.choice(divided, e.sequence(e.text('-'), divided))]);
}

/** Most remainders: with 16 digits, within what an intersection may have. */
const MOST_REMAINDERS = 300;

/** Strings of digits whose number `factor` divides, leading zeros and the empty one included. */
function remainders(e: Expressions, factor: number): Expression | undefined {
  if (factor === 1) return e.repeat(e.range(0x30, 0x39), 0, Infinity);
  if (factor > MOST_REMAINDERS) return undefined;
  return e.constant(`multiples of ${factor}`, () => {
    const classOf = new Uint8Array(256);
    for (let digit = 0; digit < 10; digit++) classOf[0x30 + digit] = digit + 1;
    const live = Array.from({ length: 10 }, (_, digit) => digit).every((digit) => hasByte(e.single, 0x30 + digit));
    const states = Array.from({ length: factor }, (_, rest) => {
      const next: Expression[] = [];
      const state: State = {
        kind: 'state',
        id: e.newId(),
        nullable: rest === 0,
        live: live || rest === 0,
        classOf,
        next,
      };
      return { state, next };
    });
    states.forEach(({ next }, rest) => {
      next.push(NEVER);
      for (let digit = 0; digit < 10; digit++) next.push(states[(10 * rest + digit) % factor].state);
    });
    return states[0].state;
  });
}

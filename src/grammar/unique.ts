import { EMPTY, NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { blank } from './json.js';

/** Most values of an array without repetition: every set of them is a state. */
export const MOST_UNIQUE = 10;

export interface UniqueRules {
  readonly values: readonly Expression[];
  readonly min: number;
  readonly max: number;
}

/** An array of at least `min` and at most `max` of the values, which are different ones, none of them twice. */
export function uniqueList(e: Expressions, { values, min, max }: UniqueRules): Expression {
  const comma = e.sequence(e.text(','), blank(e));
  const close = e.text(']');
  const end = e.sequence(blank(e), close);
  const known = new Map<number, Expression>();
  const after = (taken: number, count: number): Expression => {
    let result = known.get(taken);
    if (result === undefined) {
      const more = values.map((value, i) => {
        if (count >= max || (taken >> i) & 1) return NEVER;
        return e.sequence(count === 0 ? EMPTY : comma, value, after(taken | (1 << i), count + 1));
      });
      const done = count < min ? NEVER : count === 0 ? close : end;
      known.set(taken, (result = e.choice(done, ...more)));
    }
    return result;
  };
  return e.sequence(e.text('['), blank(e), after(0, 0));
}

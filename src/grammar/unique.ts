import { EMPTY, NEVER, type Expression, type Expressions } from './expression.js';

/** Most values of an array without repetition: every set of them is a state. */
export const MOST_UNIQUE = 10;

/**
 * What follows `[` in an array of at least `min` and at most `max` of the values, none of them twice. The values are
 * different ones.
 *
 * @param separator before every item but the first
 * @param empty `]` right behind `[`
 * @param end `]` behind an item
 */
export function withoutRepetition(
  e: Expressions,
  values: readonly Expression[],
  { min, max, separator, empty, end }: UniqueArray,
): Expression {
  const known = new Map<number, Expression>();
  const after = (taken: number, count: number): Expression => {
    let result = known.get(taken);
    if (result === undefined) {
      const more = values.map((value, i) => {
        if (count >= max || (taken >> i) & 1) return NEVER;
        return e.sequence(count === 0 ? EMPTY : separator, value, after(taken | (1 << i), count + 1));
      });
      const done = count < min ? NEVER : count === 0 ? empty : end;
      known.set(taken, (result = e.choice(done, ...more)));
    }
    return result;
  };
  return after(0, 0);
}

export interface UniqueArray {
  readonly min: number;
  readonly max: number;
  readonly separator: Expression;
  readonly empty: Expression;
  readonly end: Expression;
}

import { EMPTY, NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { blank } from './json.js';

/** Most properties that are written out one by one. */
export const MAX_PROPERTIES = 1000;

export interface Member {
  readonly required: boolean;
  /** The name, a colon and the value. */
  readonly text: Expression;
}

export interface MemberRules {
  /** A further member of any other name; NEVER where there may be none. */
  readonly extra: Expression;
  /** What stands between members that have no brackets around them. */
  readonly separator?: Expression;
  readonly min: number;
  readonly max: number;
}

/** An object: its members in their order, those not required or not, then any number of others. */
export function memberList(e: Expressions, members: readonly Member[], rules: MemberRules): Expression {
  const { extra, separator, min, max } = rules;
  const bare = separator !== undefined;
  // What may follow once `count` members are there and those before the i-th are decided; counts beyond the last
  // that makes a difference are alike.
  const cap = Math.max(1, min, max === Infinity ? 0 : Math.min(max, MAX_PROPERTIES));
  const comma = separator ?? e.sequence(e.text(','), blank(e));
  const close = (count: number): Expression =>
    count < min || count > max ? NEVER : bare ? EMPTY : e.sequence(count === 0 ? EMPTY : blank(e), e.text('}'));
  const member = (text: Expression, count: number): Expression =>
    count >= max ? NEVER : e.sequence(count === 0 ? EMPTY : comma, text);
  const next = (count: number): number => Math.min(count + 1, cap);
  let row: Expression[] = [];
  for (let count = cap; count >= 0; count--) {
    if (extra === NEVER) row[count] = close(count);
    else if (count === cap && cap < max) {
      row[count] = e.sequence(e.repeat(member(extra, count), 0, Infinity), close(count));
    } else row[count] = e.choice(close(count), e.sequence(member(extra, count), row[next(count)] ?? NEVER));
  }
  for (const { required, text } of members.toReversed()) {
    row = row.map((skip, count) => {
      const take = e.sequence(member(text, count), row[next(count)]);
      return required ? take : e.choice(take, skip);
    });
  }
  return bare ? row[0] : e.sequence(e.text('{'), blank(e), row[0]);
}

export interface ItemRules {
  /** What the i-th item may be; those from `fixed` on are alike. */
  readonly item: (i: number) => Expression;
  readonly fixed: number;
  /** None come after the first `fixed`. */
  readonly closed: boolean;
  readonly min: number;
  readonly max: number;
}

/** An array: items with a schema each, then any number of one kind. */
export function itemList(e: Expressions, { item, fixed, closed, min, max }: ItemRules): Expression {
  const comma = e.sequence(e.text(','), blank(e));
  const close = e.text(']');
  const end = e.sequence(blank(e), close);
  const listed = (empty: Expression, filled: Expression): Expression =>
    e.sequence(e.text('['), blank(e), e.choice(empty, filled));
  const rest = max > fixed && !closed ? item(fixed) : NEVER;
  if (fixed === 0) {
    const first = e.sequence(rest, e.repeat(e.sequence(comma, rest), Math.max(0, min - 1), max - 1), end);
    return listed(min === 0 ? close : NEVER, max === 0 ? NEVER : first);
  }
  // From the last item to the first: what may follow once `i` items are there.
  let after = e.sequence(e.repeat(e.sequence(comma, rest), Math.max(0, min - fixed), max - fixed), end);
  for (let i = fixed - 1; i > 0; i--) {
    const more = i < max ? e.sequence(comma, item(i), after) : NEVER;
    after = e.choice(more, i >= min ? end : NEVER);
  }
  return listed(min === 0 ? close : NEVER, max === 0 ? NEVER : e.sequence(item(0), after));
}

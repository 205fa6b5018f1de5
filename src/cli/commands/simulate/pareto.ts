import type { OutcomeRow } from './outcome-row.js';

type Costs = Pick<
  OutcomeRow,
  'goodput_per_s' | 'requests_per_s' | 'usd_per_hour' | 'cost_h100_machines' | 'tdp_watts' | 'overloaded'
>;

/**
 * The places of rows that no other row is better than: at least as much goodput (requests, where no SLO was asked) for at
 * most the cost and the TDP, and better in one of them. What is not known of every row is left out of account; a run that
 * was overloaded is never among them.
 */
export function paretoOf(rows: readonly Costs[]): ReadonlySet<number> {
  const known = (key: keyof Costs): boolean => rows.every((row) => row[key] !== null);
  const cost = (['usd_per_hour', 'cost_h100_machines'] as const).find(known);
  const less = [...(cost === undefined ? [] : [cost]), ...(known('tdp_watts') ? (['tdp_watts'] as const) : [])];
  const more = known('goodput_per_s') ? 'goodput_per_s' : 'requests_per_s';
  const points = rows.map((row) => [-row[more]!, ...less.map((key) => row[key]!)]);
  const best = new Set<number>();
  points.forEach((point, at) => {
    if (rows[at].overloaded) return;
    const beaten = points.some(
      (other, place) =>
        !rows[place].overloaded &&
        other.every((value, axis) => value <= point[axis]) &&
        other.some((value, axis) => value < point[axis]),
    );
    if (!beaten) best.add(at);
  });
  return best;
}

/**
 * The highest value that is good, where all below a good one are good: doubles from `from` until one is bad, then halves
 * the gap until it is within `precision` of the value.
 *
 * @param good asked of one value after the other
 * @returns undefined where `from` itself is bad
 */
export async function highestGood(
  from: number,
  precision: number,
  good: (value: number) => Promise<boolean>,
): Promise<number | undefined> {
  if (!(await good(from))) return undefined;
  let low = from;
  let high = 2 * from;
  for (let doublings = 0; await good(high); doublings++) {
    if (doublings === 40) return high;
    low = high;
    high *= 2;
  }
  while (high - low > precision * low) {
    const middle = (low + high) / 2;
    if (await good(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** A number of machines of each of two pools. */
export interface Counts {
  readonly first: number;
  readonly second: number;
}

export interface FrontierOptions {
  /** Whether a plan would be wanted, were it good; by default all are. Larger ones than one that is not are not either. */
  readonly worth?: (counts: Counts) => boolean;
}

/**
 * All pairs that meet a goal and are not made larger than another that does: for each number of the first pool the
 * fewest of the second. One machine more is taken never to hurt, so the fewest of the second only fall as the first
 * grows: the first of them is found by halving, and the search walks along that edge.
 */
export async function frontier(
  most: Counts,
  good: (counts: Counts) => Promise<boolean>,
  { worth = () => true }: FrontierOptions = {},
): Promise<Counts[]> {
  const edge: Counts[] = [];
  let second = most.second;
  for (let first = 1; first <= most.first && second >= 1; first++) {
    if (!worth({ first, second: 1 })) break;
    if (!(await good({ first, second }))) continue;
    if (edge.length === 0) second = await fewest(second, (count) => good({ first, second: count }));
    else while (second > 1 && (await good({ first, second: second - 1 }))) second--;
    edge.push({ first, second });
    second--;
  }
  return edge;
}

/** The smallest number that is good, where `known` is and all above a good one are. */
async function fewest(known: number, good: (count: number) => Promise<boolean>): Promise<number> {
  let [bad, best] = [0, known];
  while (best - bad > 1) {
    const middle = (bad + best) >> 1;
    if (await good(middle)) best = middle;
    else bad = middle;
  }
  return best;
}

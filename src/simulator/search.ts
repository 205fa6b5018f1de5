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

/**
 * All pairs that meet a goal and are not made larger than another that does: for each number of the first pool the
 * fewest of the second. One machine more is taken never to hurt, so the fewest of the second only fall as the first
 * grows, and the search walks along that edge: at most `most.first + most.second` questions.
 */
export async function frontier(most: Counts, good: (counts: Counts) => Promise<boolean>): Promise<Counts[]> {
  const edge: Counts[] = [];
  let second = most.second;
  for (let first = 1; first <= most.first && second >= 1; first++) {
    let met = false;
    while (second >= 1 && (await good({ first, second }))) {
      met = true;
      second--;
    }
    if (met) edge.push({ first, second: second + 1 });
  }
  return edge;
}

/** When something ran, in nanoseconds of the device's clock after the first stamp of its submission. */
export interface StampedTime {
  readonly beginNs: number;
  readonly endNs: number;
}

/**
 * The times of passes that ran one after the other, from their pairs of stamps.
 *
 * Dawn stamps a pass's begin at the top of the pipe, before the barrier on which the pass waits for the one before it:
 * the stamp is of the moment when the device read the command, and the pass before it may still be at work. What runs
 * in order begins no sooner than its predecessor ended, so that times of passes add up to the time of all.
 *
 * @param stamps begin and end of each pass, in the order in which they were recorded
 */
export function passTimes(stamps: BigUint64Array): StampedTime[] {
  // Relative to the first, so that they fit a number exactly.
  const ns = Array.from(stamps, (stamp) => Number(stamp - stamps[0]));
  let before = 0;
  return Array.from({ length: ns.length >> 1 }, (_, pass) => {
    const beginNs = Math.max(ns[2 * pass], before);
    before = Math.max(ns[2 * pass + 1], beginNs);
    return { beginNs, endNs: before };
  });
}

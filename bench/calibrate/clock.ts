/** Ticks that a span must have for its length to mean something: an error of 5 %. */
const TICKS = 20;

/** Seconds between two values that a clock can show: what browsers round to, next to nothing elsewhere. */
export function clockTick(now: () => number = () => performance.now()): number {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const from = now();
    let to = from;
    while (to === from) to = now();
    least = Math.min(least, to - from);
  }
  return least / 1000;
}

/**
 * How many times as much must be done for the clock to tell how long it takes.
 *
 * @param seconds that it took once, as far as the clock told
 * @param most times that there is patience for
 */
export function timesForClock(seconds: number, tick: number, most: number): number {
  return Math.min(most, Math.max(1, Math.ceil((TICKS * tick) / Math.max(seconds, tick))));
}

/**
 * How much of a long test is run: 1 by `npm run test:all` and where nothing is said, 0.1 by `npm test`.
 * `RIDGEPOINT_TEST_SCALE` says otherwise.
 */
const scale = Number(process.env.RIDGEPOINT_TEST_SCALE || 1);

/** Whether tests run at full length. */
export const isFull = scale >= 1;

/** How often something random is tried: `times` at full length, fewer in a quick run, but at least `least`. */
export const scaled = (times: number, least = 1): number => Math.max(least, Math.ceil(times * scale));

/** All of them at full length; in a quick run those that `quick` lets through. */
export const chosen = <T>(all: readonly T[], quick: (item: T, index: number) => boolean): T[] =>
  isFull ? [...all] : all.filter(quick);

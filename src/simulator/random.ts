/** What random numbers are drawn for. Each use has a stream of its own, so that one option does not move another's draws. */
export type RandomUse = 'arrivals' | 'lengths' | 'routing' | 'service' | 'steps';

/**
 * A random number in [0, 1) of a seed, a use and a number: a hash and not a state, so that it does not matter who asks
 * first, nor on which thread. Three rounds of the 32-bit finaliser of MurmurHash3 (Appleby, public domain).
 */
export function randomAt(seed: number, use: RandomUse, index: number): number {
  const words = [seed >>> 0, USES[use], index >>> 0, Math.floor(index / 2 ** 32) >>> 0];
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (const word of words) {
    high = mix(high ^ word);
    low = mix(low ^ word ^ Math.imul(high, 0x27d4eb2f));
  }
  return ((high >>> 0) * 2 ** 21 + (mix(low ^ high) >>> 11)) / 2 ** 53;
}

const USES: Readonly<Record<RandomUse, number>> = {
  arrivals: 0x6a09e667,
  lengths: 0xbb67ae85,
  routing: 0x3c6ef372,
  service: 0xa54ff53a,
  steps: 0x510e527f,
};

function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

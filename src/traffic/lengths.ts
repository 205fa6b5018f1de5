import type { Draws } from './draws.js';

/** How many tokens a prompt or an answer has. */
export type Lengths =
  | { readonly kind: 'fixed'; readonly tokens: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  /** `sigma` is the standard deviation of the logarithm. */
  | { readonly kind: 'lognormal'; readonly median: number; readonly sigma: number };

/** What lengths are written as, after "must be". */
export const LENGTHS_WANTED =
  'a number of tokens such as 128, a range such as 32-256, or lognormal:MEDIAN:SIGMA such as lognormal:128:0.8';

/** Reads `128`, `32-256` (uniform) or `lognormal:128:0.8` (median and sigma); undefined where it is none of these. */
export function readLengths(text: string): Lengths | undefined {
  const fixed = /^(\d+)$/.exec(text);
  const uniform = /^(\d+)-(\d+)$/.exec(text);
  const lognormal = /^lognormal:(\d+):(\d+(?:\.\d+)?)$/.exec(text);
  if (fixed && Number(fixed[1]) >= 1) return { kind: 'fixed', tokens: Number(fixed[1]) };
  if (uniform) {
    const [low, high] = [Number(uniform[1]), Number(uniform[2])];
    if (low >= 1 && high >= low) return { kind: 'uniform', low, high };
  }
  if (lognormal && Number(lognormal[1]) >= 1) {
    return { kind: 'lognormal', median: Number(lognormal[1]), sigma: Number(lognormal[2]) };
  }
  return undefined;
}

/** One length, at least 1. */
export function drawLength(lengths: Lengths, draws: Draws): number {
  switch (lengths.kind) {
    case 'fixed':
      return lengths.tokens;
    case 'uniform':
      return draws.whole(lengths.low, lengths.high);
    case 'lognormal':
      return Math.max(1, Math.round(lengths.median * Math.exp(lengths.sigma * draws.normal())));
  }
}

export function describeLengths(lengths: Lengths): string {
  switch (lengths.kind) {
    case 'fixed':
      return String(lengths.tokens);
    case 'uniform':
      return `${lengths.low}-${lengths.high}`;
    case 'lognormal':
      return `lognormal:${lengths.median}:${lengths.sigma}`;
  }
}

import { median } from '../../src/statistics.js';
import type { PassTime } from '../../src/gpu/pass-clock.js';

/** How much of the time between the first step's begin and the last one's end the GPU was at work. */
export interface BusyShare {
  readonly steps: number;
  readonly spanMs: number;
  /** 0 to 1. */
  readonly share: number;
  /** Between one step's end and the next one's begin. */
  readonly medianGapMs: number;
  readonly largestGapMs: number;
}

/** @param steps at least two, in the order they ran */
export function busyShare(steps: readonly PassTime[]): BusyShare {
  const spanNs = steps[steps.length - 1].endNs - steps[0].beginNs;
  const gaps = steps.slice(1).map(({ beginNs }, i) => Math.max(0, beginNs - steps[i].endNs));
  return {
    steps: steps.length,
    spanMs: spanNs / 1e6,
    share: 1 - gaps.reduce((sum, gap) => sum + gap, 0) / spanNs,
    medianGapMs: median(gaps) / 1e6,
    largestGapMs: Math.max(...gaps) / 1e6,
  };
}

/** As one sentence. */
export function busyText({ steps, spanMs, share, medianGapMs, largestGapMs }: BusyShare): string {
  return (
    `GPU at work for ${(100 * share).toFixed(1)} % of ${spanMs.toFixed(0)} ms in which the engine generated ${steps} ` +
    `tokens; between steps ${medianGapMs.toFixed(3)} ms (median), ${largestGapMs.toFixed(3)} ms at most`
  );
}

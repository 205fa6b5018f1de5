import type { Warmup, WarmupCut } from '../../../simulator/warmup.js';

interface CutRun {
  readonly seed: number;
  readonly cut: WarmupCut;
}

/** What was cut of each run, in words; nothing where nothing was to be. */
export function warmupLines(runs: readonly CutRun[], warmup: Warmup = 'none'): string[] {
  if (warmup === 'none') return [];
  const rule = warmup === 'mser-5' ? 'by MSER-5' : 'as asked';
  return runs.map(({ seed, cut: { requests, seconds, refused } }) => {
    const which = runs.length === 1 ? '' : `, seed ${seed}`;
    if (refused !== undefined) return `warm-up${which}: nothing was cut: ${refused}`;
    return `warm-up${which}: ${rule} the first ${requests} requests, of ${seconds.toFixed(1)} s, are in no figure but those of the pools`;
  });
}

/** The same as fields of an answer. */
export const warmupRecord = (runs: readonly CutRun[], warmup: Warmup = 'none'): object =>
  warmup === 'none'
    ? {}
    : {
        warmup: {
          rule: warmup === 'mser-5' ? warmup : 'seconds',
          cut: runs.map(({ seed, cut: { requests, seconds, refused } }) => ({ seed, requests, seconds, refused })),
        },
      };

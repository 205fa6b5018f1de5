import { memoryOf } from '../hardware/memory.js';
import type { Predictor } from '../predict/predictor.js';

export const GRID_PHASES = ['prefill', 'decode'] as const;

/** A phase on one platform over the same on another, at one batch and length. */
export interface GridCell {
  readonly phase: (typeof GRID_PHASES)[number];
  readonly batch: number;
  /** Tokens of each prompt, or in each cache. */
  readonly tokens: number;
  readonly seconds: number;
  readonly referenceSeconds: number;
  /** Above 1 the platform is slower than the reference. */
  readonly ratio: number;
  /** Whether weights and cache fit both. */
  readonly fits: boolean;
}

/** Latency over that of a reference, for every batch and length in both phases: SPAD's maps (figure 7). */
export function grid(
  predictor: Predictor,
  reference: Predictor,
  batches: readonly number[],
  lengths: readonly number[],
): GridCell[] {
  return GRID_PHASES.flatMap((phase) =>
    batches.flatMap((batch) =>
      lengths.map((tokens): GridCell => {
        const time = (on: Predictor) =>
          phase === 'prefill' ? on.prefillSeconds(tokens, batch) : on.decodeStepSeconds(tokens, batch);
        const [seconds, referenceSeconds] = [time(predictor), time(reference)];
        const fits = [predictor, reference].every((each) => memoryOf(each, tokens, batch).fits);
        return { phase, batch, tokens, seconds, referenceSeconds, ratio: seconds / referenceSeconds, fits };
      }),
    ),
  );
}

/** Mean ratio of a phase over the cells that fit; undefined where none does. */
export function meanRatio(cells: readonly GridCell[], phase: GridCell['phase']): number | undefined {
  const ratios = cells.filter((cell) => cell.fits && cell.phase === phase).map(({ ratio }) => ratio);
  return ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

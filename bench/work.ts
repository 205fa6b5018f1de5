import { promptOf, type BenchPoint } from './plan.js';

/** What a run of a point is made of, as far as its duration depends on it. */
interface Work {
  readonly promptTokens: number;
  /** Decode steps, each counted as often as it has sequences. */
  readonly rows: number;
}

export function workOf(point: BenchPoint): Work {
  switch (point.kind) {
    case 'ttft':
      return { promptTokens: point.prompt, rows: 0 };
    case 'tpot':
      return { promptTokens: promptOf(point.context) * point.batch, rows: (point.gen - 1) * point.batch };
    case 'llama-bench':
      return { promptTokens: point.prompt, rows: point.gen };
    case 'operations':
      // Once with and once without the profiler.
      return point.phase === 'prefill'
        ? { promptTokens: 2 * point.tokens, rows: 0 }
        : { promptTokens: 0, rows: 2 * point.batch };
  }
}

/** A decode step weighs as much as some prompt tokens; only the order of cheap and dear points hangs on it. */
const TOKENS_A_STEP = 4;

/** Puts the cheapest first, so that a run that is cut short has most points. */
export function byWork<T>(list: readonly T[], pointOf: (each: T) => BenchPoint): T[] {
  const size = (each: T): number => {
    const { promptTokens, rows } = workOf(pointOf(each));
    return promptTokens + TOKENS_A_STEP * rows;
  };
  return [...list].sort((a, b) => size(a) - size(b));
}

/** Seconds a prompt token and a row of a decode step took, in the largest run so far. */
interface Pace {
  prefill: { readonly promptTokens: number; readonly perToken: number };
  decode: { readonly rows: number; readonly perRow: number };
}

/**
 * Guesses how long a run of a point will take from those there have been. Prompt tokens and rows of decode steps are
 * taken to cost what the largest run so far paid for each; larger batches cost less a row, so the guess is on the safe
 * side.
 */
export class RunClock {
  readonly #pace = new Map<string | undefined, Pace>();

  /** Notes what a run took. */
  note(point: BenchPoint, seconds: number): void {
    const { promptTokens, rows } = workOf(point);
    const pace = this.#paceOf(point);
    if (rows === 0 && promptTokens >= pace.prefill.promptTokens) {
      pace.prefill = { promptTokens, perToken: seconds / promptTokens };
    }
    if (rows > 0 && rows >= pace.decode.rows) {
      pace.decode = { rows, perRow: Math.max(0, seconds - promptTokens * pace.prefill.perToken) / rows };
    }
  }

  /** Seconds; 0 for what nothing is known of. */
  guess(point: BenchPoint): number {
    const { promptTokens, rows } = workOf(point);
    const { prefill, decode } = this.#paceOf(point);
    return promptTokens * prefill.perToken + rows * decode.perRow;
  }

  #paceOf({ engine }: BenchPoint): Pace {
    let pace = this.#pace.get(engine);
    if (pace === undefined) {
      pace = { prefill: { promptTokens: 0, perToken: 0 }, decode: { rows: 0, perRow: 0 } };
      this.#pace.set(engine, pace);
    }
    return pace;
  }
}

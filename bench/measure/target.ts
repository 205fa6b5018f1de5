import type { TextEngine } from '../../src/engine/api.js';
import type { StepProbe } from '../../src/engine/probe.js';
import type { PromptSource } from '../prompts.js';

/** What is measured: an engine and single steps of it. */
export type BenchTarget = Pick<TextEngine, 'generate' | 'info' | 'config'> &
  PromptSource & { probe(): Pick<StepProbe, 'prefill' | 'decode'> };

/** How often, and what is told meanwhile. */
export interface Repetitions {
  readonly warmup: number;
  readonly repetitions: number;
  /** Milliseconds after which no further run begins. */
  readonly shareMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each run, warm-ups included. */
  readonly onRun?: () => void;
}

export interface Repeated<T> {
  readonly warmup: T[];
  readonly counted: T[];
}

/**
 * Runs warm-ups and then what counts; `run` gets a number that is different each time. Where there is time for fewer
 * runs, those there are count, the first of several excepted.
 *
 * @throws AbortError
 */
export async function repeat<T>(
  { warmup, repetitions, shareMs = Infinity, signal, onRun }: Repetitions,
  run: (index: number) => Promise<T>,
): Promise<Repeated<T>> {
  const all: T[] = [];
  const began = performance.now();
  while (all.length < warmup + repetitions) {
    const spent = performance.now() - began;
    // The next run will take as long as those before it.
    if (all.length > 0 && spent + spent / all.length > shareMs) break;
    signal?.throwIfAborted();
    all.push(await run(all.length));
    onRun?.();
  }
  const uncounted = Math.min(warmup, all.length - 1);
  return { warmup: all.slice(0, uncounted), counted: all.slice(uncounted) };
}

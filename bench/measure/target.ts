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
  readonly signal?: AbortSignal;
  /** Called after each run, warm-ups included. */
  readonly onRun?: () => void;
}

export interface Repeated<T> {
  readonly warmup: T[];
  readonly counted: T[];
}

/** Runs warm-ups and then what counts; `run` gets a number that is different each time. @throws AbortError */
export async function repeat<T>(
  { warmup, repetitions, signal, onRun }: Repetitions,
  run: (index: number) => Promise<T>,
): Promise<Repeated<T>> {
  const all: T[] = [];
  while (all.length < warmup + repetitions) {
    signal?.throwIfAborted();
    all.push(await run(all.length));
    onRun?.();
  }
  return { warmup: all.slice(0, warmup), counted: all.slice(warmup) };
}

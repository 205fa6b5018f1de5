import type { Gpu } from '../../src/gpu/gpu.js';

/** A measured duration in seconds: the least disturbed runs decide a ceiling, the spread says how noisy it was. */
export interface Timing {
  readonly best: number;
  readonly median: number;
  /** (p90 - p10) / median. */
  readonly spread: number;
}

export function summarise(seconds: readonly number[]): Timing {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { best: sorted[0], median: at(0.5), spread: (at(0.9) - at(0.1)) / at(0.5) };
}

/** Seconds from submitting what `record` records to the GPU being done with it. */
export async function timeSubmission(gpu: Gpu, record: (pass: GPUComputePassEncoder) => void): Promise<number> {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  record(pass);
  pass.end();
  const commands = encoder.finish();
  const start = performance.now();
  gpu.queue.submit([commands]);
  await gpu.queue.onSubmittedWorkDone();
  return (performance.now() - start) / 1000;
}

/**
 * Times submissions after a warm-up until there are `least` of them and `budgetMs` are spent.
 *
 * @param record records work long enough to drown the cost of a submission
 */
export async function timeRepeatedly(
  gpu: Gpu,
  record: (pass: GPUComputePassEncoder) => void,
  { least = 5, budgetMs = 600 } = {},
): Promise<Timing> {
  await timeSubmission(gpu, record);
  const seconds: number[] = [];
  const start = performance.now();
  while (seconds.length < least || performance.now() - start < budgetMs) {
    seconds.push(await timeSubmission(gpu, record));
    if (seconds.length >= 200) break;
  }
  return summarise(seconds);
}

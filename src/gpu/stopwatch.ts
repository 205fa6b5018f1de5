import type { Gpu } from './gpu.js';
import { Profiler } from './profiler.js';

/** Work to be timed: records one launch (of all its parts). `turn` counts launches, for data in rotation. */
export interface Timed {
  record(pass: GPUComputePassEncoder, turn: number): void;
}

export interface RoundsOptions {
  /** Milliseconds for all samples together; each job gets `least` regardless, unless it is hopelessly slow. */
  readonly budgetMs: number;
  readonly least: number;
  readonly most: number;
  readonly signal?: AbortSignal;
}

/** A sample shorter than this counts launches' edges rather than their work. */
const SAMPLE_SECONDS = { gpu: 1e-3, cpu: 4e-3 };
const MOST_LAUNCHES = 256;
/** A job this many times slower than the fastest is measured once: its place is clear, and its time better spent. */
const HOPELESS = 8;

/**
 * Times launches on the GPU, with timestamps where the adapter has them and by the host's clock elsewhere. Jobs take
 * turns, one sample each a round, so that a drift of a shared machine falls on all alike.
 */
export class Stopwatch {
  readonly #profiler: Profiler | undefined;
  #turn = 0;
  readonly #gpu: Gpu;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#profiler = gpu.capabilities.timestamps ? new Profiler(gpu, 1) : undefined;
  }

  /** Seconds of `launches` launches in one pass, together. */
  async time(job: Timed, launches: number): Promise<number> {
    const gpu = this.#gpu;
    const encoder = gpu.device.createCommandEncoder();
    const pass = this.#profiler?.begin(encoder, 'timed') ?? encoder.beginComputePass();
    for (let i = 0; i < launches; i++) job.record(pass, this.#turn++);
    pass.end();
    this.#profiler?.finish(encoder);
    const commands = encoder.finish();
    const start = performance.now();
    gpu.queue.submit([commands]);
    if (this.#profiler === undefined) {
      await gpu.queue.onSubmittedWorkDone();
      return (performance.now() - start) / 1000;
    }
    const [{ beginNs, endNs }] = await this.#profiler.read();
    // A driver whose stamps stand still is timed from outside.
    return endNs > beginNs ? (endNs - beginNs) / 1e9 : (performance.now() - start) / 1000;
  }

  /**
   * Seconds a launch takes, by job and round. Two launches come first and do not count: some drivers translate a shader
   * at its first one, and the second says how many fit a sample.
   */
  async rounds(jobs: readonly Timed[], { budgetMs, least, most, signal }: RoundsOptions): Promise<number[][]> {
    const began = performance.now();
    const target = this.#gpu.capabilities.isCpu ? SAMPLE_SECONDS.cpu : SAMPLE_SECONDS.gpu;
    const once: number[] = [];
    for (const job of jobs) {
      signal?.throwIfAborted();
      await this.time(job, 1);
      once.push(Math.max(1e-7, await this.time(job, 1)));
    }
    const launches = once.map((each) => Math.min(MOST_LAUNCHES, Math.max(1, Math.ceil(target / each))));
    const hopeless = once.map((each) => each > HOPELESS * Math.min(...once));
    const samples: number[][] = jobs.map(() => []);
    for (let round = 0; round < most; round++) {
      if (round >= least && performance.now() - began >= budgetMs) break;
      for (let i = 0; i < jobs.length; i++) {
        signal?.throwIfAborted();
        const at = (i + round) % jobs.length; // nobody always comes after the same one
        if (round > 0 && hopeless[at]) continue;
        samples[at].push((await this.time(jobs[at], launches[at])) / launches[at]);
      }
    }
    this.#gpu.check();
    return samples;
  }

  destroy(): void {
    this.#profiler?.destroy();
  }
}

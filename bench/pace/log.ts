import type { EngineHost } from '../../src/engine/host.js';
import { Gpu } from '../../src/gpu/gpu.js';
import { PACE_PARTS, type PacePart } from '../../src/roofline/hardware/pace.js';
import { cpuKernels, gpuKernels, type ByPart, type PaceSample } from './kernels.js';
import { toMicroseconds, type PaceRecord } from './record.js';

/** Milliseconds between samples on a GPU at least: what they take is time that nothing is measured in. */
const EVERY_MS = 150;
/** And so many times as long as the last sample took, for drivers on which that is much. */
const REST = 8;
/**
 * Before and after what is measured on a processor: samples for this share of what was measured last, so many at least and
 * at most. A run of seconds is one of many moments, which one sample does not tell.
 */
const SHARE = 0.04;
const [LEAST, MOST] = [2, 40];

/** Where samples come from. */
interface PaceSource {
  readonly kernels: ByPart<string>;
  readonly sample: () => Promise<PaceSample>;
  readonly now: () => number;
  /** Whether each measurement has a sample before and after it. */
  readonly each: boolean;
}

/** Milliseconds of the kernels while something was measured. */
export type PaceBeside = Readonly<Record<PacePart, number>>;

/** Samples of a host's pace, taken between measurements. */
export class PaceLog {
  readonly samples: PaceSample[] = [];
  readonly kernels: ByPart<string>;
  /** When each was taken. */
  readonly #times: number[] = [];
  /** Milliseconds of what was measured last. */
  #length = 0;

  readonly #sample: () => Promise<PaceSample>;
  readonly #now: () => number;
  readonly #each: boolean;

  private constructor(
    { kernels, sample, now, each }: PaceSource,
    readonly close: () => Promise<void>,
  ) {
    this.kernels = kernels;
    this.#sample = sample;
    this.#now = now;
    this.#each = each;
  }

  /** @throws RidgepointError when the adapter cannot be opened once more */
  static async open(host: EngineHost, adapter: string | undefined): Promise<PaceLog> {
    const gpu = await Gpu.open(await host.openGpu(adapter));
    const { isCpu } = gpu.capabilities;
    const kernels = isCpu ? await cpuKernels(gpu) : await gpuKernels(gpu);
    const sample = async (): Promise<PaceSample> => {
      const taken = await kernels.sample();
      gpu.check();
      return taken;
    };
    await sample(); // some drivers translate a shader at its first launch
    const source = { kernels: kernels.names, sample, now: () => performance.now(), each: isCpu };
    return new PaceLog(source, () => gpu.dispose());
  }

  /** For tests: samples and times from elsewhere. */
  static of(source: PaceSource): PaceLog {
    return new PaceLog(source, () => Promise.resolve());
  }

  /**
   * Takes samples before and after what is measured. On a driver that runs on the processor it always does, since what
   * there is of the machine may double within a second; elsewhere now and then.
   *
   * @param leadMs milliseconds of a run before what it is for: prompts that take 20 s before 2 s of decoding, say, where
   *   what the machine was like 20 s ago tells nothing
   * @returns milliseconds of the kernels while it was measured, where samples were taken for just this
   */
  readonly beside = async <Run>(
    measure: (onReady: () => Promise<void>) => Promise<Run>,
    leadMs: (run: Run) => number = () => 0,
  ): Promise<{ run: Run; pace: PaceBeside | undefined }> => {
    let start = this.#now();
    const run = await measure(async () => {
      await (this.#each ? this.#several() : this.#ifDue());
      start = this.#now();
    });
    const end = this.#now();
    this.#length = end - start;
    if (!this.#each) return { run, pace: undefined };
    await this.#several();
    const from = Math.min(end, start + leadMs(run));
    return { run, pace: this.#since(from - (end - from)) };
  };

  /** Takes a sample, however recent the last one is. */
  readonly take = async (): Promise<PaceSample> => {
    const taken = await this.#sample();
    this.samples.push(taken);
    this.#times.push(this.#now());
    return taken;
  };

  async #ifDue(): Promise<void> {
    const last = this.samples.at(-1);
    const took = last === undefined ? 0 : PACE_PARTS.reduce((sum, part) => sum + (last[part] ?? 0), 0);
    if (this.#now() - (this.#times.at(-1) ?? -Infinity) >= Math.max(EVERY_MS, REST * took)) await this.take();
  }

  /** As many samples as take a small share of what was measured last. */
  async #several(): Promise<void> {
    const began = this.#now();
    for (let at = 0; at < MOST; at++) {
      await this.take();
      if (at + 1 >= LEAST && this.#now() - began >= SHARE * this.#length) break;
    }
  }

  /** The pace at which work gets done over the samples since then: that of the mean of their speeds. */
  #since(time: number): PaceBeside {
    const from = this.#times.findIndex((each) => each >= time);
    const found = this.samples.slice(from);
    const middle = (part: PacePart): number => {
      // What is not timed by itself is taken to be as slow as the rest.
      const speeds = found.reduce((sum, each) => sum + 1 / (each[part] ?? each.compute), 0);
      return toMicroseconds(found.length / speeds);
    };
    return { compute: middle('compute'), memory: middle('memory'), launch: middle('launch') };
  }

  /** What was sampled, to the microsecond; undefined before the first. */
  record(): PaceRecord | undefined {
    if (this.samples.length === 0) return undefined;
    const of = (part: PacePart) => ({
      kernel: this.kernels[part]!,
      samples_ms: this.samples.map((each) => toMicroseconds(each[part]!)),
    });
    return {
      ...of('compute'),
      ...(this.kernels.memory !== undefined && { memory: of('memory') }),
      ...(this.kernels.launch !== undefined && { launch: of('launch') }),
    };
  }
}

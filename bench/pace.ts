import type { EngineHost } from '../src/engine/host.js';
import { Gpu } from '../src/gpu/gpu.js';
import { record } from '../src/gpu/recorder.js';
import { DEFAULT_STATISTIC, represent, STATISTICS, type Statistic } from './compare/statistic.js';

/**
 * A fixed kernel, on a device of its own: multiply-adds in launches that each wait for the one before, as a step's do.
 * How long it takes says nothing about a model, only about how much of the machine there is at the moment.
 */
const CPU = { groups: 64, turns: 16, launches: 16, submissions: 4 };
const GPU = { groups: 4096, turns: 16, launches: 16, submissions: 4 };
/** Milliseconds between samples at least: what they take is time that nothing is measured in. */
const EVERY_MS = 150;
/** And so many times as long as the last sample took, for drivers on which that is much. */
const REST = 8;

/** Milliseconds of the fixed kernel, by what stands for the samples; only times of the same kernel can be compared. */
export interface Pace {
  readonly kernel: string;
  readonly ms: Readonly<Record<Statistic, number>>;
}

/** Samples of a host's pace, taken between measurements. */
export class PaceLog {
  readonly samples: number[] = [];
  #last = -Infinity;

  readonly #sample: () => Promise<number>;
  readonly #now: () => number;

  private constructor(
    readonly kernel: string,
    sample: () => Promise<number>,
    now: () => number,
    readonly close: () => Promise<void>,
  ) {
    this.#sample = sample;
    this.#now = now;
  }

  /** @throws RidgepointError when the adapter cannot be opened once more */
  static async open(host: EngineHost, adapter: string | undefined): Promise<PaceLog> {
    const gpu = await Gpu.open(await host.openGpu(adapter));
    const { groups, turns, launches, submissions } = gpu.capabilities.isCpu ? CPU : GPU;
    const pipeline = await gpu.pipelines.get({
      shader: 'calibrate/calibrate_fma.wgsl',
      bindings: 'uw',
      defines: { half: false, fused: false },
    });
    const params = gpu.uniform('pace params', Uint32Array.of(turns, 0, 0, 0));
    const bindGroup = gpu.bindGroup(pipeline, 'pace', [params, gpu.storage('pace sink', 16)]);
    const sample = async (): Promise<number> => {
      const began = performance.now();
      for (let at = 0; at < submissions; at++) {
        const encoder = gpu.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (let launch = 0; launch < launches; launch++) record(pass, { pipeline, bindGroup }, groups);
        pass.end();
        gpu.queue.submit([encoder.finish()]);
        await gpu.queue.onSubmittedWorkDone();
      }
      gpu.check();
      return performance.now() - began;
    };
    await sample(); // some drivers translate a shader at its first launch
    const kernel = `fma ${submissions} x ${launches} x ${groups} x ${turns}`;
    return new PaceLog(
      kernel,
      sample,
      () => performance.now(),
      () => gpu.dispose(),
    );
  }

  /** For tests: samples and times from elsewhere. */
  static of(kernel: string, sample: () => Promise<number>, now: () => number): PaceLog {
    return new PaceLog(kernel, sample, now, () => Promise.resolve());
  }

  /** Takes a sample, unless the last one is too recent. */
  readonly between = async (): Promise<void> => {
    const rest = Math.max(EVERY_MS, REST * (this.samples.at(-1) ?? 0));
    if (this.#now() - this.#last < rest) return;
    this.samples.push(await this.#sample());
    this.#last = this.#now();
  };

  /** Undefined before the first sample. */
  pace(): Pace | undefined {
    return paceOf(this.kernel, this.samples);
  }
}

export function paceOf(kernel: string, samples: readonly number[]): Pace | undefined {
  if (samples.length === 0) return undefined;
  const ms = Object.fromEntries(STATISTICS.map((each) => [each, represent(samples, each)])) as Record<
    Statistic,
    number
  >;
  return { kernel, ms };
}

/**
 * How many times as long the fixed kernel took as when the machine was calibrated; undefined where either does not say,
 * or another kernel was timed.
 */
export function paceRatio(
  now: { readonly kernel: string; readonly samples_ms: readonly number[] } | undefined,
  calibrated: Pace | undefined,
  statistic: Statistic = DEFAULT_STATISTIC,
): number | undefined {
  if (now === undefined || calibrated?.kernel !== now.kernel || now.samples_ms.length === 0) return undefined;
  return represent(now.samples_ms, statistic) / calibrated.ms[statistic];
}

import type { Gpu } from '../gpu/gpu.js';
import type { LoadTimings } from './api.js';
import type { EngineHost, HostGpu } from './host.js';
import type { SizedOptions } from './sizes.js';

/** What every stage of a start is given. */
export interface StartContext {
  readonly options: SizedOptions;
  readonly host: EngineHost;
  readonly source: HostGpu;
  readonly gpu: Gpu;
  readonly clock: LoadClock;
}

/** Times the stages of a start, which overlap. */
export class LoadClock {
  readonly #begin = performance.now();
  readonly #spent = { adapter: 0, device: 0, checkpoint: 0, tokenizer: 0, weights: 0, pipelines: 0 };

  async time<T>(stage: Exclude<keyof LoadTimings, 'total'>, work: Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work;
    this.#spent[stage] = performance.now() - from;
    return result;
  }

  timings(): LoadTimings {
    return { ...this.#spent, total: performance.now() - this.#begin };
  }
}

import type { EngineOptions, LoadProgress } from '../../src/engine/api.js';
import type { ModelPlaces, WantedModel } from '../../src/platform/browser/models/find.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import type { BenchOptions, BenchResult } from '../schema.js';

/** What is known of a GPU from before. */
export type KnownMachine = Pick<Calibration, 'adapter' | 'driver' | 'date' | 'ceilings'>;

/** What a page asks of the worker that runs a benchmark. */
export interface BenchRequest {
  readonly options: BenchOptions;
  readonly engine: Omit<EngineOptions, 'model' | 'onProgress' | 'signal' | 'stepCost' | 'onStep'>;
  readonly model: WantedModel | undefined;
  readonly places: ModelPlaces;
  /** Of the checkout that the page was built from, where that is known. */
  readonly commit: string | null;
  /** Calibrations that this browser keeps. */
  readonly known: readonly KnownMachine[];
}

export type ToBenchWorker = { readonly run: BenchRequest } | { readonly stop: true };

/** What that worker tells. The result comes last; of a run that was stopped it is not complete. */
export type BenchNews =
  | { readonly loading: LoadProgress }
  | { readonly progress: { readonly id: string; readonly done: number; readonly total: number } }
  | { readonly result: BenchResult }
  | { readonly error: string };

import type { EngineHost } from '../../engine/host.js';
import { openBrowserGpu } from './adapter.js';
import { openBrowserModel, type ModelPlaces, type WantedModel } from './models/find.js';

export interface BrowserHostOptions extends ModelPlaces {
  readonly model: WantedModel | undefined;
  /** Whether several tabs use the engine. */
  readonly shared: boolean;
  /** Bytes that may be taken of the GPU's memory; undefined for no limit. */
  readonly gpuBytes: number | undefined;
}

/** A browser does not say how much memory a GPU has, and a tab that takes too much is ended. */
const MODEST = { contextLength: 2048, maxSequences: 1, sharedSequences: 4 };

/** A browser's way to its GPU and to models. */
export function browserHost(options: BrowserHostOptions): EngineHost {
  return {
    openGpu: (adapter) => openBrowserGpu(adapter, options.gpuBytes),
    openModel: (_named, request) => openBrowserModel(options.model, options, request),
    unasked: {
      contextLength: MODEST.contextLength,
      maxSequences: options.shared ? MODEST.sharedSequences : MODEST.maxSequences,
    },
    randomSeed: () => crypto.getRandomValues(new Uint32Array(1))[0],
  };
}

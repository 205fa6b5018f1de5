/** Ridgepoint for Node: a Llama inference engine on WebGPU. */
import type { EngineOptions } from './engine/api.js';
import type { CoreEngine } from './engine/engine.js';
import { startEngine } from './engine/start.js';
import { nodeHost } from './platform/node/host.js';

/** A loaded model. `await using engine = await Engine.load()` closes it at the end of the block. */
export type Engine = CoreEngine;

export const Engine = {
  /**
   * Loads a model: the embedded one, a folder, a Hub name or a preset, on the adapter found best.
   *
   * @throws RidgepointError in one sentence that says what is wrong and what to do
   */
  load(options: EngineOptions = {}): Promise<CoreEngine> {
    return startEngine(options, nodeHost);
  },
};

export type * from './engine/api.js';
export { RidgepointError, type ErrorCode } from './errors.js';

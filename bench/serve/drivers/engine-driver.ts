import type { TextEngine } from '../../../src/engine/api.js';
import type { LoadDriver } from '../load/driver.js';
import type { Workload } from '../../../src/traffic/workload.js';
import { idPrompts } from './prompt-ids.js';

export interface SamplingChoice {
  readonly temperature: number;
  /** Go on past end-of-sequence ids, so that an answer has the length that was planned. */
  readonly ignoreEos: boolean;
}

/**
 * Puts load on an engine in this process: no HTTP, no tokenizer, so that policies are compared and nothing else. Client
 * and engine share a thread, as a server and its engine do.
 */
export function engineDriver(
  engine: Pick<TextEngine, 'generate' | 'config'>,
  workload: Pick<Workload, 'seed' | 'sharedPrefix'>,
  { temperature, ignoreEos }: SamplingChoice,
): LoadDriver {
  const promptOf = idPrompts(engine.config.vocab, workload);
  return {
    backend: 'ridgepoint',
    prepare: (request) => {
      const prompt = promptOf(request);
      const options = { maxTokens: request.outputTokens, temperature, ignoreEos, seed: request.index };
      return async ({ onTokens, signal }) => {
        const generation = engine.generate(prompt, { ...options, signal });
        for await (const { ids } of generation) {
          if (ids.length > 0) onTokens(ids.length);
        }
        const { finishReason, ids } = await generation.result;
        return { promptTokens: prompt.length, outputTokens: ids.length, finish: finishReason };
      };
    },
  };
}

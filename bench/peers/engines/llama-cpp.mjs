// node-llama-cpp on one of llama.cpp's backends: what its two engines share.
import { availableParallelism } from 'node:os';
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

/**
 * @param {import('./engine.js').EngineSettings} settings
 * @param {'vulkan' | false} gpu false for the CPU backend
 * @returns {Promise<{ llama: import('node-llama-cpp').Llama, model: import('node-llama-cpp').LlamaModel, log: string[],
 *   generate: import('./engine.js').PeerEngine['generate'] }>}
 */
export async function openLlama({ gguf, contextLength, prefillChunk }, gpu) {
  const log = [];
  const llama = await getLlama({
    gpu,
    build: 'never',
    logLevel: LlamaLogLevel.info,
    logger: (_level, message) => log.push(message),
    // Nothing has to be kept free for a display, and without it a small machine would keep layers on the CPU.
    vramPadding: 0,
  });
  const model = await llama.loadModel({ modelPath: gguf, gpuLayers: gpu ? 'max' : 0, useMmap: false });
  const context = await model.createContext({
    contextSize: contextLength,
    batchSize: prefillChunk,
    // Its own choice is four at least, which on two cores wait for each other.
    threads: availableParallelism(),
  });
  const sequence = context.getSequence();
  async function* generate(promptIds, tokens) {
    await sequence.clearHistory();
    let left = tokens;
    for await (const id of sequence.evaluate([...promptIds], { temperature: 0, yieldEogToken: true })) {
      yield [id];
      if (--left === 0) break; // before the next token is begun
    }
  }
  return { llama, model, context, log, generate };
}

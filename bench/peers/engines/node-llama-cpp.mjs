// node-llama-cpp on its Vulkan backend. Which device that is, is the environment's GGML_VK_VISIBLE_DEVICES.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

/** @type {import('./engine.js').OpenEngine} */
export async function open({ gguf, contextLength, prefillChunk }) {
  const log = [];
  const llama = await getLlama({
    gpu: 'vulkan',
    build: 'never',
    logLevel: LlamaLogLevel.info,
    logger: (_level, message) => log.push(message),
    // Nothing has to be kept free for a display, and without it a small machine would keep layers on the CPU.
    vramPadding: 0,
  });
  const model = await llama.loadModel({ modelPath: gguf, gpuLayers: 'max', useMmap: false });
  const context = await model.createContext({ contextSize: contextLength, batchSize: prefillChunk });
  const sequence = context.getSequence();
  const layers = model.fileInsights.totalLayers;
  if (llama.gpu !== 'vulkan' || model.gpuLayers < layers) {
    throw new Error(`${model.gpuLayers} of ${layers} layers are on ${llama.gpu}; the comparison needs all on Vulkan`);
  }
  return {
    info: {
      adapter: (await llama.getGpuDeviceNames()).join(', '),
      backend: `llama.cpp ${llama.llamaCppRelease.release}, Vulkan, ${model.gpuLayers} of ${layers} layers on the device`,
      kvCache: 'f16',
      log: log.filter((line) => /using device|offloaded|buffer size|Flash Attention/.test(line)),
    },
    async *generate(promptIds, tokens) {
      await sequence.clearHistory();
      let left = tokens;
      for await (const id of sequence.evaluate([...promptIds], { temperature: 0, yieldEogToken: true })) {
        yield [id];
        if (--left === 0) break; // before the next token is begun
      }
    },
  };
}

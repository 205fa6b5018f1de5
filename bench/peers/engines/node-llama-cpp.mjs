// node-llama-cpp on its Vulkan backend. Which device that is, is the environment's GGML_VK_VISIBLE_DEVICES.
import { openLlama } from './llama-cpp.mjs';

/** @type {import('./engine.js').OpenEngine} */
export async function open(settings) {
  const { llama, model, log, generate } = await openLlama(settings, 'vulkan');
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
    generate,
  };
}

// node-llama-cpp on its CPU backend: what somebody without a GPU would run instead of a software driver.
import { openLlama } from './llama-cpp.mjs';

/** @type {import('./engine.js').OpenEngine} */
export async function open(settings) {
  const { llama, model, context, log, generate } = await openLlama(settings, false);
  if (llama.gpu !== false || model.gpuLayers > 0) {
    throw new Error(`${model.gpuLayers} layers are on ${llama.gpu}; the comparison needs all on the CPU`);
  }
  return {
    info: {
      adapter: 'CPU',
      backend: `llama.cpp ${llama.llamaCppRelease.release}, CPU, ${context.currentThreads} threads`,
      kvCache: 'f16',
      log: log.filter((line) => /CPU|threads|buffer size|Flash Attention/.test(line)),
    },
    generate,
  };
}

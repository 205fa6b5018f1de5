// Ridgepoint as the project at `project` was last built.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @type {import('./engine.js').OpenEngine} */
export async function open({ project, checkpoint, adapter, contextLength, prefillChunk }) {
  const { Engine } = await import(pathToFileURL(join(resolve(project), 'dist/src/index.js')).href);
  // Without the prefix cache: the same prompt comes again and again, and is to be computed each time.
  const prefixCaching = false;
  const engine = await Engine.load({
    ...{ model: checkpoint, adapter, contextLength, prefillChunk, prefixCaching, maxSequences: 1 },
  });
  await engine.ready;
  const { info } = engine;
  return {
    info: {
      adapter: info.adapter,
      backend: `WebGPU (Dawn), ${info.driver}, ${info.tier}`,
      kvCache: info.kvDtype,
      kernels: engine.kernels(),
    },
    async *generate(promptIds, tokens) {
      const generation = engine.generate(promptIds, { maxTokens: tokens, temperature: 0, ignoreEos: true });
      for await (const { ids } of generation) if (ids.length > 0) yield [...ids];
    },
  };
}

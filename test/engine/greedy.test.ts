import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/index.js';
import { loadReferenceLlama, repositoryPath, sharedData } from '../reference/load.js';
import { adapters } from '../support/adapters.js';

interface Expected {
  prompt_ids: number[];
  /** Prompt and continuation. */
  ids: number[];
}

const stories = sharedData('models/stories260K');
const expected = (name: string): Expected =>
  JSON.parse(readFileSync(`${stories}/expected/stories260K_${name}.json`, 'utf8')) as Expected;

describe.each(adapters)('greedy ids on %s', (adapter) => {
  const PROMPTS = ['Once upon a time', 'Lily wanted to', 'One rainy morning,', 'The little fox', 'Long ago,'];

  it('of the default model are those of the float64 reference', async () => {
    const reference = loadReferenceLlama(repositoryPath('models/tiny-tales'));
    const engine = await Engine.load({ adapter, maxSequences: PROMPTS.length, kvCacheTokens: 2048 });
    try {
      const results = await Promise.all(
        PROMPTS.map((prompt) => engine.generate(prompt, { temperature: 0, ignoreEos: true, maxTokens: 150 }).result),
      );
      results.forEach((result, i) => {
        expect(result.ids, PROMPTS[i]).toEqual(reference.greedy([...result.promptIds], 150));
      });
    } finally {
      await engine.dispose();
    }
  });

  it.skipIf(stories === undefined).each(['f32', 'f16'] as const)(
    'of stories260K in %s are those of llama2.c (needs ../shared/data)',
    async (dtype) => {
      const engine = await Engine.load({ adapter, model: stories, dtype, maxSequences: 4, kvCacheTokens: 1024 });
      try {
        for (const name of ['empty', 'once', 'lily', 'long']) {
          const { prompt_ids: prompt, ids } = expected(name);
          const maxTokens = ids.length - prompt.length;
          const result = await engine.generate(prompt, { temperature: 0, ignoreEos: true, maxTokens }).result;
          expect(result.ids, name).toEqual(ids.slice(prompt.length));
        }
      } finally {
        await engine.dispose();
      }
    },
  );
});

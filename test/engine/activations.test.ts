import { describe, expect, it } from 'vitest';
import { withEngine } from './support.js';
import { isFull } from '../support/scale.js';

const PROMPTS = [
  'Once upon a time there was a little fox who lived by the sea. One day the fox',
  'The cat',
  'Tom and Sue and Tom and Sue and Tom and Sue and Tom',
];
const OPTIONS = { dtype: 'int8', activations: 'int8', contextLength: 96 } as const;
const greedy = { temperature: 0, maxTokens: 24, ignoreEos: true };

describe('an engine whose prompts run in 8 bits', () => {
  it.runIf(isFull)('says so, and gives a sequence in a crowd the ids it has alone, whatever the chunks', async () => {
    const alone = await withEngine({ ...OPTIONS, maxSequences: 1, prefixCaching: false }, async (engine) => {
      expect(engine.info).toMatchObject({ dtype: 'int8-g128', activations: 'int8' });
      for (const name of engine.kernels().prefill) expect(name).toMatch(/dot4|-i8-/);
      for (const name of engine.kernels().decode) expect(name).not.toMatch(/dot4|-i8-/);
      const ids: (readonly number[])[] = [];
      for (const prompt of PROMPTS) ids.push((await engine.generate(prompt, greedy).result).ids);
      expect(engine.detokenize(ids[0])).toMatch(/[a-z]+ [a-z]+/);
      return ids;
    });
    await withEngine({ ...OPTIONS, maxSequences: 4, prefillChunk: 5, kvCacheTokens: 112 }, async (engine) => {
      const requests = [...PROMPTS, ...PROMPTS].map((prompt) => engine.generate(prompt, greedy).result);
      const found = (await Promise.all(requests)).map(({ ids }) => ids);
      expect(found).toEqual([...alone, ...alone]);
    });
  });

  it.runIf(isFull)('computes other numbers than one in f32, though hardly', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => (i * 7919 + 1) % 2048);
    const logits = (activations: 'f32' | 'int8'): Promise<Float32Array> =>
      withEngine({ ...OPTIONS, activations, maxSequences: 1 }, async (engine) => {
        let last = new Float32Array();
        await engine.probe().logits(ids, ids.length - 1, (_, row) => void (last = row.slice()));
        return last;
      });
    const [plain, packed] = [await logits('f32'), await logits('int8')];
    const norm = (values: Float32Array): number => Math.hypot(...values);
    const off = norm(plain.map((value, i) => value - packed[i])) / norm(plain);
    expect(off).toBeGreaterThan(0);
    expect(off).toBeLessThan(0.05);
  });
});

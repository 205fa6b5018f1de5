import { describe, expect, it } from 'vitest';
import embedded from '../../models/tiny-tales/config.json' with { type: 'json' };
import presets from '../../models/presets.json' with { type: 'json' };
import { parseLlamaConfig } from '../../src/model/config.js';
import type { LlamaConfig } from '../../src/model/config.js';

/** Parameters from the shapes: embeddings, per layer q k v o, gate up down and two norms, the last norm, lm_head. */
function parameters(c: LlamaConfig): number {
  const attention = c.hidden * c.headDim * (2 * c.heads + 2 * c.kvHeads);
  const layer = attention + 3 * c.hidden * c.intermediate + 2 * c.hidden;
  return c.layers * layer + c.hidden + c.vocab * c.hidden * (c.tiedEmbeddings ? 1 : 2);
}

describe('presets', () => {
  // The parameter counts are those the Hub states for the published checkpoints.
  it.each([
    ['llama-2-7b', 6_738_415_616],
    ['llama-2-13b', 13_015_864_320],
    ['llama-2-70b', 68_976_648_192],
    ['llama-3.1-8b', 8_030_261_248],
    ['llama-3.1-70b', 70_553_706_496],
    ['tinyllama-1.1b', 1_100_048_384],
  ] as const)('%s has the published number of parameters', (name, count) => {
    const config = parseLlamaConfig(presets[name], name);
    expect(parameters(config)).toBe(count);
    expect(config.headDim).toBe(name === 'tinyllama-1.1b' ? 64 : 128);
  });

  it('has one that nobody published: the size of the embedded model with room for long prompts', () => {
    const config = parseLlamaConfig(presets['tiny-4k'], 'tiny-4k');
    expect(config).toEqual({ ...parseLlamaConfig(embedded), maxPositions: 4096 });
  });

  it('covers every preset, and scales the positions of Llama 3.1', () => {
    expect(Object.keys(presets)).toHaveLength(7);
    expect(parseLlamaConfig(presets['llama-3.1-8b'])).toMatchObject({
      ropeTheta: 500000,
      maxPositions: 131072,
      ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
    });
  });
});

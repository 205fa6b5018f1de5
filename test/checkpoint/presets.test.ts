import { describe, expect, it } from 'vitest';
import embedded from '../../models/tiny-tales/config.json' with { type: 'json' };
import presets from '../../models/presets.json' with { type: 'json' };
import { parseConfig } from '../../src/model/config.js';
import { parameterCount } from '../../src/model/cost.js';
import type { ModelConfig } from '../../src/model/config.js';

/** Parameters from the shapes: embeddings, per layer q k v o, gate up down and two norms, the last norm, lm_head. */
function parameters(c: ModelConfig): number {
  const attention = c.hidden * c.headDim * (2 * c.heads + 2 * c.kvHeads);
  const biases = c.family === 'qwen2' ? (c.heads + 2 * c.kvHeads) * c.headDim : 0;
  const headNorms = c.family === 'qwen3' ? 2 * c.headDim : 0;
  const layer = attention + 3 * c.hidden * c.intermediate + 2 * c.hidden + biases + headNorms;
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
    ['mistral-7b', 7_241_732_096],
    ['qwen2.5-0.5b', 494_032_768],
    ['qwen2.5-7b', 7_615_616_512],
    ['qwen3-0.6b', 596_049_920],
    ['qwen3-8b', 8_190_735_360],
  ] as const)('%s has the published number of parameters', (name, count) => {
    const config = parseConfig(presets[name], name);
    expect(parameters(config)).toBe(count);
    expect(config.headDim).toBe(['tinyllama-1.1b', 'qwen2.5-0.5b'].includes(name) ? 64 : 128);
    expect(parameterCount(config)).toBe(count);
  });

  it('has one that nobody published: the size of the embedded model with room for long prompts', () => {
    const config = parseConfig(presets['tiny-4k'], 'tiny-4k');
    expect(config).toEqual({ ...parseConfig(embedded), maxPositions: 4096 });
  });

  it('covers every preset, and scales the positions of Llama 3.1', () => {
    expect(Object.keys(presets)).toHaveLength(12);
    expect(parseConfig(presets['llama-3.1-8b'])).toMatchObject({
      ropeTheta: 500000,
      maxPositions: 131072,
      ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
    });
  });
});

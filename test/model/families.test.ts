import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import { random, relativeError } from '../reference/compare.js';
import { ReferenceLlama } from '../reference/llama.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll } from '../support/buffers.js';
import { randomWeights, tinyConfig } from '../support/model.js';
import { ModelRun } from '../support/model-run.js';
import { chosen } from '../support/scale.js';

const family = (type: string, overrides: Record<string, unknown>): ModelConfig =>
  tinyConfig({ model_type: type, ...overrides });

/** Sizes that are multiples of nothing, groups of one to five. */
const CONFIGS: Readonly<Record<string, ModelConfig>> = {
  'Mistral, a window of 19': family('mistral', {
    ...{ hidden_size: 36, intermediate_size: 44, num_attention_heads: 6, num_key_value_heads: 2, sliding_window: 19 },
  }),
  'Mistral, some layers with a window': family('mistral', {
    ...{ head_dim: 10, num_attention_heads: 5, num_key_value_heads: 1, num_hidden_layers: 3, sliding_window: 7 },
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
  }),
  Qwen2: family('qwen2', {
    ...{ hidden_size: 40, intermediate_size: 52, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 14 },
    tie_word_embeddings: true,
  }),
  'Qwen2, a window from layer 1 on': family('qwen2', {
    ...{ hidden_size: 36, num_attention_heads: 6, num_key_value_heads: 6 },
    ...{ use_sliding_window: true, sliding_window: 16, max_window_layers: 1 },
  }),
  Qwen3: family('qwen3', {
    ...{ hidden_size: 36, intermediate_size: 44, head_dim: 18, num_attention_heads: 4, num_key_value_heads: 2 },
  }),
};

interface Stored {
  readonly dtype: StoredDtype;
  readonly kv: KvStored;
  readonly activations?: ActivationDtype;
  readonly tolerance: number;
}
// Weights that the format holds exactly, which the loader quantises again; packed.test.ts has those with zeros.
const F32: Stored = { dtype: 'f32', kv: 'f32', tolerance: 1e-5 };
const F16: Stored = { dtype: 'f16', kv: 'f16', tolerance: 2e-3 };
const INT8_CACHE: Stored = { dtype: 'f16', kv: 'int8', tolerance: 2e-2 };
const INT8: Stored = { dtype: 'int8-g32', kv: 'f32', tolerance: 1e-5 };
const INT4: Stored = { dtype: 'int4-g64', kv: 'f16', tolerance: 2e-3 };
/** Prompts lose what eight bits of an activation lose. */
const W8A8: Stored = { dtype: 'int8-g32', kv: 'f32', activations: 'int8', tolerance: 6e-2 };

/** In a quick run, which has each thing that families differ in. */
const QUICK = ['Mistral, some layers with a window', 'Qwen2, a window from layer 1 on', 'Qwen3'];
/** By configuration; a quick run takes the first. As of Llamas, a format's error is that of the cache. */
const STORED: Readonly<Record<string, readonly Stored[]>> = {
  'Mistral, a window of 19': [F32, INT8_CACHE, INT4],
  'Mistral, some layers with a window': [F32, F16, W8A8],
  Qwen2: [F32, F16, INT8_CACHE, INT4, W8A8],
  'Qwen2, a window from layer 1 on': [F32, INT8],
  Qwen3: [F32, F16, INT8_CACHE, INT4, W8A8],
};

/** Long enough for several parts of a context. */
const LIMITS = { stepTokens: 288, sequences: 2, contextLength: 288, decodeRows: 4, logitRows: 8 };

describe.each(adapters)('families on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  const configs = chosen(Object.entries(CONFIGS), ([name]) => QUICK.includes(name));
  describe.each(configs)('%s', (name, config) => {
    const kinds = chosen(STORED[name], (_, i) => i === 0);
    it.each(kinds)('has the logits of the float64 model, $dtype weights, $kv cache, $activations', async (stored) => {
      const weights = randomWeights(config, stored.dtype, 11);
      const rng = random(5);
      const ids = (count: number): number[] => Array.from({ length: count }, () => rng.integer(config.vocab));
      const references = [0, 1].map(() => new ReferenceLlama(config, weights));
      const lengths = [0, 0];
      const expected = (slot: number, tokens: readonly number[], samples = 1): Float64Array[] => {
        const rows = references[slot].hidden(tokens, lengths[slot]);
        lengths[slot] += tokens.length;
        return references[slot].logits(rows.slice(-samples * config.hidden));
      };
      await freeingAll(gpu, async () => {
        const run = await ModelRun.create(gpu, config, weights, stored, LIMITS);
        const check = (what: string, found: readonly Float64Array[], wanted: readonly Float64Array[]): void => {
          expect(found, what).toHaveLength(wanted.length);
          found.forEach((row, i) =>
            expect(relativeError(row, wanted[i]), `${what} ${i}`).toBeLessThan(stored.tolerance),
          );
        };
        const long = ids(267);
        const [head, tail] = [long.slice(0, 37), long.slice(37)];
        check('prompt', (await run.step([], [{ slot: 0, tokens: head }])).logits, expected(0, head));
        const short = ids(5);
        const mixed = await run.step([{ slot: 0, tokens: tail.slice(0, 1) }], [{ slot: 1, tokens: short }]);
        check('a token beside a prompt', mixed.logits, [...expected(0, tail.slice(0, 1)), ...expected(1, short)]);
        check(
          'a long chunk',
          (await run.step([], [{ slot: 0, tokens: tail.slice(1) }])).logits,
          expected(0, tail.slice(1)),
        );
        // As speculation has it: rows of tokens that are known, each with its logits.
        const guessed = ids(3);
        const several = await run.step([{ slot: 0, tokens: guessed, samples: 3 }]);
        check('guessed tokens', several.logits, expected(0, guessed, 3));
        for (let step = 0; step < 3; step++) {
          const tokens = [ids(1), ids(1)];
          const { logits } = await run.step([1, 0].map((slot) => ({ slot, tokens: tokens[slot] })));
          check('decode', logits, [...expected(1, tokens[1]), ...expected(0, tokens[0])]);
        }
      });
    });
  });
});

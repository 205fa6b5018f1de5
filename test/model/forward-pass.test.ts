import { beforeAll, describe, expect, it } from 'vitest';
import { allocatePagedKv } from '../../src/cache/paged-kv.js';
import { memoryNeeded } from '../../src/engine/memory-plan.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { KV_STORED, type KvStored } from '../../src/kernels/attention/shape.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import { activationBytes } from '../../src/model/activations.js';
import { operationShapes } from '../../src/model/operations.js';
import { laneRows } from '../../src/kernels/weights.js';
import { allocateWeights, weightBytes } from '../../src/model/weights.js';
import { quantFormat } from '../../src/quantization/formats.js';
import { random, relativeError } from '../reference/compare.js';
import { ReferenceLlama } from '../reference/llama.js';
import { argmax } from '../reference/ops.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll } from '../support/buffers.js';
import { randomWeights, tinyConfig } from '../support/model.js';
import { chosen } from '../support/scale.js';
import { ModelRun } from '../support/model-run.js';
import { worstErrors } from '../support/worst.js';

const GQA4 = 'heads wider than hidden, GQA 4, llama3 rope';
/** Sizes that are multiples of nothing, groups of one to four, tied and not, and each kind of rope scaling. */
const CONFIGS = {
  'hidden 64, head_dim 8, GQA 2': tinyConfig(),
  'hidden 36, head_dim 6, tied, intermediate 44': tinyConfig({
    ...{ hidden_size: 36, intermediate_size: 44, num_attention_heads: 6, num_key_value_heads: 6 },
    tie_word_embeddings: true,
  }),
  [GQA4]: tinyConfig({
    ...{ hidden_size: 36, head_dim: 16, num_attention_heads: 4, num_key_value_heads: 1, num_hidden_layers: 3 },
    rope_scaling: { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 32 },
  }),
};

/**
 * In f32 the errors of some twenty operations pile up to a few 1e-6. With f16 weights, rounded beforehand, only the
 * cache rounds: 2^-11 a key or value, averaged over keys, amplified a little by the layers after. A cache of int8 rounds
 * to the largest of a head / 254, ten times as much and more.
 */
const STORED: readonly { dtype: StoredDtype; kv: KvStored; tolerance: number; only?: string }[] = [
  { dtype: 'f32', kv: 'f32', tolerance: 1e-5 },
  { dtype: 'f16', kv: 'f16', tolerance: 2e-3 },
  { dtype: 'f16', kv: 'int8', tolerance: 2e-2, only: GQA4 },
  // Weights that the format holds exactly, which the loader quantises again.
  { dtype: 'int8-g32', kv: 'f32', tolerance: 1e-5 },
  { dtype: 'int4-g64', kv: 'f32', tolerance: 1e-5 },
];

/** In a quick run each sort of weights and each cache is tried by one configuration. */
const QUICK: Readonly<Record<string, (stored: (typeof STORED)[number]) => boolean>> = {
  'hidden 64, head_dim 8, GQA 2': ({ dtype }) => dtype === 'int4-g64',
  'hidden 36, head_dim 6, tied, intermediate 44': ({ dtype }) => dtype === 'f32',
  [GQA4]: ({ kv }) => kv === 'int8',
};

/** Weights whose arithmetic another configuration tries already. */
const storedFor = (name: string): typeof STORED =>
  chosen(STORED, QUICK[name]).filter(({ only = name }) => only === name);

const LIMITS = { stepTokens: 48, sequences: 3, contextLength: 80 };
const worst = worstErrors();

describe.each(adapters)('The forward pass on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  describe.each(Object.entries(CONFIGS))('%s', (name, config) => {
    it.each(storedFor(name))('has the logits of the float64 model, $dtype weights, $kv cache', async (stored) => {
      const { tolerance } = stored;
      const weights = randomWeights(config, stored.dtype, 42);
      const rng = random(7);
      const prompts = [37, 21, 5].map((length) => Array.from({ length }, () => rng.integer(config.vocab)));
      const references = prompts.map(() => new ReferenceLlama(config, weights));
      const lengths = [0, 0, 0];
      /** Logits of the last of these tokens of a sequence. */
      const expected = (slot: number, tokens: readonly number[]): Float64Array => {
        const rows = references[slot].hidden(tokens, lengths[slot]);
        lengths[slot] += tokens.length;
        return references[slot].logits(rows.slice(-config.hidden))[0];
      };
      const check = (what: string, found: Float64Array, reference: Float64Array): void => {
        const error = relativeError(found, reference);
        worst(`${adapter} model ${stored.dtype} weights, ${stored.kv} cache`, error);
        expect(error, what).toBeLessThan(tolerance);
      };
      await freeingAll(gpu, async () => {
        const run = await ModelRun.create(gpu, config, weights, stored, LIMITS);
        // A whole prompt beside the first chunk of another.
        const first = await run.step(
          [],
          [
            { slot: 0, tokens: prompts[0] },
            { slot: 1, tokens: prompts[1].slice(0, 9), wants: false },
          ],
        );
        expect(first.logits).toHaveLength(1);
        const after0 = expected(0, prompts[0]);
        check('prompt in one chunk', first.logits[0], after0);
        if (tolerance < 1e-4) expect(first.tokens).toEqual([argmax(after0)]);

        // One sequence decodes from its slot while the other's prompt goes on and a third begins.
        expected(1, prompts[1].slice(0, 9));
        const second = await run.step(
          [{ slot: 0, tokens: 'sampled' }],
          [
            { slot: 1, tokens: prompts[1].slice(9) },
            { slot: 2, tokens: prompts[2] },
          ],
        );
        check('first decode, in company', second.logits[0], expected(0, first.tokens));
        check('prompt in two chunks', second.logits[1], expected(1, prompts[1].slice(9)));
        check('short prompt', second.logits[2], expected(2, prompts[2]));

        // All three decode, in another order, past the end of a block.
        let last = second.tokens;
        for (let step = 0; step < 17; step++) {
          const decoded = await run.step([2, 1, 0].map((slot) => ({ slot, tokens: 'sampled' })));
          [2, 1, 0].forEach((slot, row) => {
            check(`decode ${step} of slot ${slot}`, decoded.logits[row], expected(slot, [last[slot]]));
          });
          last = [...decoded.tokens].reverse();
        }
      });
    });
  });

  it.each(chosen(['f16', 'int8'] as const, (kv) => kv === 'int8'))(
    'records the operations of the list in its order, %s cache',
    async (kv) => {
      await freeingAll(gpu, async () => {
        const config = tinyConfig();
        const stored = { dtype: 'f16', kv } as const;
        const { model } = await ModelRun.create(gpu, config, randomWeights(config, 'f16', 1), stored, LIMITS);
        expect(model.operations.map(({ shape }) => shape)).toEqual(
          operationShapes(config, { quantizedKv: kv === 'int8' }),
        );
        const packed = { dtype: 'int8-g32', kv, activations: 'int8' } as const;
        const other = (await ModelRun.create(gpu, config, randomWeights(config, 'f16', 1), packed, LIMITS)).model;
        expect(other.operations.map(({ shape }) => shape)).toEqual(
          operationShapes(config, { quantizedKv: kv === 'int8', activations: 'int8' }),
        );
        for (const name of other.matmulVariants(99, 'prefill')) expect(name).toMatch(/dot4|-i8-/);
        expect(other.matmulVariants(1, 'decode').sort()).toEqual(model.matmulVariants(1, 'decode').sort());
        expect(model.matmulVariants(1, 'decode').length).toBeGreaterThan(0);
      });
    },
  );

  it('gives the same logits after a warm-up', async () => {
    const config = tinyConfig();
    const weights = randomWeights(config, 'f32', 3);
    const stored = { dtype: 'f32', kv: 'f32' } as const;
    const prompt = [5, 6, 7, 8];
    await freeingAll(gpu, async () => {
      const run = await ModelRun.create(gpu, config, weights, stored, LIMITS);
      await run.model.warmUp(gpu);
      const { logits } = await run.step([], [{ slot: 0, tokens: prompt }]);
      const expected = new ReferenceLlama(config, weights).forward(prompt).at(-1)!;
      expect(relativeError(logits[0], expected)).toBeLessThan(1e-5);
    });
  });

  it('takes the memory it says it will', async () => {
    await freeingAll(gpu, async () => {
      for (const config of Object.values(CONFIGS)) {
        const { tiedEmbeddings: tied } = config;
        const before = gpu.allocatedBytes;
        const weights = allocateWeights(gpu, config, { dtype: 'f16', tied });
        expect(weights.bytes).toBe(weightBytes(config, { dtype: 'f16', lanes: laneRows(gpu.capabilities) }, tied));
        expect(gpu.allocatedBytes - before).toBe(weights.bytes);
        expect(weights.lmHead === weights.embedding).toBe(tied);
        for (const [dtype, head] of [
          ['int4-g32', 'f16'],
          ['int8-g128-zp', 'int8-g64'],
        ] as const) {
          const quantized = allocateWeights(gpu, config, { dtype, tied, head });
          const layout = { dtype, lanes: laneRows(gpu.capabilities) };
          // Buffers are rounded up to 16 bytes.
          const planned = weightBytes(config, layout, tied, head);
          expect(quantized.bytes).toBeGreaterThanOrEqual(planned);
          expect(quantized.bytes).toBeLessThan(planned + 16 * (4 * config.layers + 2));
        }
      }
      for (const kvDtype of KV_STORED) {
        const [config] = Object.values(CONFIGS).slice(1);
        const before = gpu.allocatedBytes;
        const cache = allocatePagedKv(gpu, config, kvDtype, config.layers, 5);
        expect(gpu.allocatedBytes - before).toBe(cache.bytes);
        const request = {
          model: 'tiny',
          config,
          dtype: 'f16',
          head: 'f16',
          lanes: 1,
          tied: true,
          limits: LIMITS,
        } as const;
        expect(memoryNeeded({ ...request, kvDtype, kvTokens: 5 * 16 - 1 }).kvCache).toBe(cache.bytes);
      }
      await Promise.resolve();
    });
    const bytes = activationBytes(tinyConfig(), LIMITS);
    expect(bytes.logits).toBe(3 * 128 * 4);
    expect(bytes.qkv).toBe(48 * 128 * 4);
    expect(bytes.angles).toBe(80 * 4 * 2 * 4);
    expect(bytes.state).toBe(3 * 105 * 8);
    // 192 columns padded: scale, quants, and sums of six groups.
    const quantized = activationBytes(tinyConfig(), LIMITS, 'int8', quantFormat('int8-g32-zp'));
    expect(quantized.quantized).toBe(48 * 4 * (4 + 48 + 8));
    expect(quantized.normed).toBe(16);
  });
});

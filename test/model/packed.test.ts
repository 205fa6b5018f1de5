import { describe, expect, it } from 'vitest';
import { openAwq } from '../../src/checkpoint/awq/open.js';
import { openGptq } from '../../src/checkpoint/gptq/open.js';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import { packAwq, packGptq, quantLayer, weightsOf, withTensors } from '../checkpoint/packing.js';
import { relativeError } from '../reference/compare.js';
import { ReferenceLlama } from '../reference/llama.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll } from '../support/buffers.js';
import { fakeCheckpoint, randomWeights, tensorShapes, tinyConfig } from '../support/model.js';
import { ModelRun } from '../support/model-run.js';

const LIMITS = { stepTokens: 48, sequences: 1, contextLength: 80 };
const config = tinyConfig({ intermediate_size: 160, num_key_value_heads: 4 });
/** Families with tensors beside the packed ones: biases, and norms of queries and keys. */
const [QWEN2, QWEN3] = ['qwen2', 'qwen3'].map((type) =>
  tinyConfig({ model_type: type, intermediate_size: 160, num_key_value_heads: 4, head_dim: 16 }),
);
const PROMPT = [1, 17, 5, 90, 33, 2];

/** A model whose layers are packed, and what the packed weights stand for. */
function packedModel(config: ModelConfig, method: 'gptq' | 'awq', actOrder: boolean) {
  const plain = randomWeights(config, 'f32', 3);
  const tensors: Record<string, ReturnType<typeof packAwq>[string]> = {};
  let seed = 1;
  for (const [name, [outputs, inputs]] of Object.entries(tensorShapes(config))) {
    if (!name.endsWith('_proj.weight')) continue;
    const layer = quantLayer(inputs, outputs, { bits: 4, group: 32, actOrder }, seed++);
    plain[name] = weightsOf(layer);
    const packed = method === 'gptq' ? packGptq(layer, 1) : packAwq(layer);
    for (const [part, tensor] of Object.entries(packed)) tensors[name.replace(/weight$/, part)] = tensor;
  }
  const base = fakeCheckpoint(config, plain);
  const others = { ...base, tensors: new Map([...base.tensors].filter(([name]) => !name.endsWith('_proj.weight'))) };
  const quantization_config = { quant_method: method, bits: 4, group_size: 32, desc_act: actOrder };
  const open = method === 'gptq' ? openGptq : openAwq;
  const format = packedFormat({ quantization_config })!;
  return { plain, checkpoint: open({ tensors: withTensors(others, tensors), format, exceptions: () => undefined }) };
}

describe.each(adapters)('a packed model on %s', (adapter) => {
  it.each<['gptq' | 'awq', boolean, StoredDtype, string, ModelConfig]>([
    ['gptq', false, 'int4-g32-zp', 'Llama', config],
    ['awq', false, 'int4-g32-zp', 'Llama', config],
    ['gptq', false, 'int8-g32-zp', 'Llama', config],
    ['gptq', true, 'f32', 'Llama', config],
    ['gptq', false, 'int4-g32-zp', 'Qwen2', QWEN2],
    ['awq', false, 'int4-g32-zp', 'Qwen2', QWEN2],
    ['gptq', false, 'int4-g32-zp', 'Qwen3', QWEN3],
  ])('of %s, act-order %s, keeps its quants in %s: a %s', async (method, actOrder, dtype, _, config) => {
    const gpu = await testGpu(adapter);
    const { plain, checkpoint } = packedModel(config, method, actOrder);
    await freeingAll(gpu, async () => {
      const run = await ModelRun.create(
        gpu,
        config,
        plain,
        { dtype, head: 'f32', kv: 'f32' },
        LIMITS,
        undefined,
        checkpoint,
      );
      const expected = new ReferenceLlama(config, plain);
      const first = await run.step([], [{ slot: 0, tokens: PROMPT }]);
      // f32 arithmetic on the very weights that were packed.
      expect(relativeError(first.logits[0], expected.forward(PROMPT).at(-1)!)).toBeLessThan(2e-5);
    });
  });
});

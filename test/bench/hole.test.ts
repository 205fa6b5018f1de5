import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeHole } from '../../bench/day/hole.js';
import { Engine } from '../../src/index.js';
import { adapters } from '../support/adapters.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-hole-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a checkpoint that is a hole loads as one of its shape', async () => {
  const bytes = writeHole(folder, {
    ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], hidden_act: 'silu', rms_norm_eps: 1e-5 },
    ...{ hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, num_key_value_heads: 2 },
    ...{ num_hidden_layers: 2, vocab_size: 100, max_position_embeddings: 128, tie_word_embeddings: false },
  });
  // Two bytes a number: embedding and head, of each layer q, k, v, o, gate, up, down and two norms, the last norm.
  const numbers = 2 * 100 * 64 + 2 * (64 * (64 + 32 + 32 + 64) + 3 * 64 * 96 + 2 * 64) + 64;
  expect(bytes).toBeGreaterThan(2 * numbers);
  expect(bytes).toBeLessThan(2 * numbers + 8192);
  expect(statSync(join(folder, 'model.safetensors')).size).toBe(bytes);
  const engine = await Engine.load({ model: folder, adapter: adapters[0], dtype: 'f16' });
  try {
    expect(engine.config.layers).toBe(2);
    expect(engine.info.parameters).toBe(numbers);
  } finally {
    await engine.dispose();
  }
});

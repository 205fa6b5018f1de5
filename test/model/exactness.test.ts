import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import { random } from '../reference/compare.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll } from '../support/buffers.js';
import { randomWeights, tinyConfig } from '../support/model.js';
import { ModelRun, type Part } from '../support/model-run.js';
import { chosen, isFull } from '../support/scale.js';

/** Long enough for a decoding context to be cut into parts on any adapter. */
const CONTEXT = 600;
const LIMITS = { stepTokens: 400, sequences: 4, contextLength: CONTEXT, decodeRows: 40, logitRows: 40 };
const PROMPT = 247;
/** The contexts of these tokens cross the borders of a block and of a part. */
const GENERATED = 20;

const CONFIGS = {
  'head_dim 8, GQA 2': tinyConfig({ max_position_embeddings: CONTEXT }),
  'head_dim 32, GQA 2, hidden 256': tinyConfig({
    ...{ hidden_size: 256, intermediate_size: 320, num_attention_heads: 8, num_key_value_heads: 4 },
    max_position_embeddings: CONTEXT,
  }),
};
const STORED: readonly { dtype: StoredDtype; kv: KvStored; activations?: ActivationDtype; only?: string }[] = [
  { dtype: 'f16', kv: 'f32' },
  { dtype: 'f16', kv: 'f16' },
  { dtype: 'int4-g32', kv: 'f32' },
  { dtype: 'f16', kv: 'int8', only: 'head_dim 8, GQA 2' },
  { dtype: 'int8-g32-zp', kv: 'f32', activations: 'int8' },
];

/**
 * The engine promises that a sequence has the same tokens whoever runs beside it and however its work is cut. That
 * holds because a row's numbers are the same to the last bit as long as prompts are computed as prompts and generated
 * tokens as generated tokens, which is what is tested here. A new kernel has to hold to it too.
 */
describe.each(adapters)('the numbers of a sequence on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  describe.each(chosen(Object.entries(CONFIGS), (_, i) => i === 0))('%s', (name, config) => {
    it.each(chosen(STORED, (_, i) => i === 2).filter(({ only = name }) => only === name))(
      'do not depend on chunks, batches and company, $dtype, $kv cache',
      async (stored) => {
        await freeingAll(gpu, async () => {
          const run = await ModelRun.create(gpu, config, randomWeights(config, stored.dtype, 5), stored, LIMITS);
          const rng = random(11);
          const ids = (count: number): number[] => Array.from({ length: count }, () => rng.integer(config.vocab));
          const tokens = ids(PROMPT + GENERATED);
          const prompt = tokens.slice(0, PROMPT);

          // Alone: the whole prompt in one step, then token by token.
          const alone = [(await run.step([], [{ slot: 0, tokens: prompt }])).logits[0]];
          for (let i = 0; i < GENERATED; i++) {
            alone.push((await run.step([{ slot: 0, tokens: [tokens[PROMPT + i]] }])).logits[0]);
          }

          for (let trial = 0; trial < (isFull ? 6 : 1); trial++) {
            for (let slot = 0; slot < 4; slot++) run.restart(slot);
            const mine = trial % 4;
            const others = [0, 1, 2, 3].filter((slot) => slot !== mine);
            // Neighbours that decode, one of them far longer than the sequence, and one that is still a prompt.
            await run.step([], [{ slot: others[0], tokens: ids(3 + rng.integer(20)) }]);
            if (trial % 2 === 0) {
              await run.step([], [{ slot: others[1], tokens: ids(300) }]);
              await run.step([], [{ slot: others[1], tokens: ids(200) }]);
            }
            const decoding = (): Part[] =>
              others
                .slice(0, trial % 2 === 0 ? 2 : 1)
                .filter(() => rng.integer(3) > 0)
                .map((slot) => ({ slot, tokens: ids(1 + rng.integer(2)), samples: 1 }));
            const prompts = (): Part[] =>
              rng.integer(2) === 0 ? [] : [{ slot: others[2], tokens: ids(1 + rng.integer(9)), wants: false }];

            for (let begin = 0; begin < PROMPT;) {
              const end = trial === 0 ? PROMPT : Math.min(PROMPT, begin + 1 + rng.integer(90));
              const part = { slot: mine, tokens: tokens.slice(begin, end), wants: end === PROMPT };
              const before = prompts();
              const { logits } = await run.step(
                decoding(),
                rng.integer(2) === 0 ? [part, ...before] : [...before, part],
              );
              if (end === PROMPT) {
                const at = logits.findIndex((row) => equal(row, alone[0]));
                expect(at, `trial ${trial}: the prompt's last row`).toBeGreaterThanOrEqual(0);
              }
              begin = end;
            }
            for (let done = 0; done < GENERATED;) {
              const count = Math.min(GENERATED - done, 1 + rng.integer(9));
              const part = { slot: mine, tokens: tokens.slice(PROMPT + done, PROMPT + done + count), samples: count };
              const before = decoding();
              const { logits } = await run.step([...before, part], prompts());
              for (let i = 0; i < count; i++) {
                const what = `trial ${trial}: generated token ${done + i}, row ${i} of ${count}, behind ${before.length}`;
                expect(equal(logits[before.length + i], alone[1 + done + i]), what).toBe(true);
              }
              done += count;
            }
          }
        });
      },
    );
  });
});

function equal(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

import { describe, expect, it } from 'vitest';
import { random, relativeError } from '../reference/compare.js';
import type { KernelChoices } from '../../src/kernels/choices.js';
import { ReferenceLlama } from '../reference/llama.js';
import { freeingAll } from '../support/buffers.js';
import { randomWeights, tinyConfig } from '../support/model.js';
import { ModelRun } from '../support/model-run.js';
import { emulatedGpu, emulatingAdapters } from '../support/nvidia.js';
import { NVIDIA_MATRICES } from '../support/nvidia-matrices.js';

/** Rows of prompts, keys and values are rounded to f16. */
const TOLERANCE = 3e-3;
/** Compiling matrices that are spelt out takes a driver long. */
const PATIENCE = 600_000;
const LIMITS = { stepTokens: 48, sequences: 2, contextLength: 80 };
/** For few rows, sums that count on no number of lanes: the adapter's subgroups are not those it pretends to have. */
const CHOICES: KernelChoices = {
  matmul: () => ({
    decode: [{ rows: 1, variant: 'vec1-tree' }],
    prefill: [{ rows: 1, variant: 'matrix16x16x16-64x64' }],
  }),
  attention: undefined,
};

const [adapter] = await emulatingAdapters();

describe.skipIf(adapter === undefined)(
  `rows of prompts in f16 on ${adapter ?? 'an adapter with f16 and no matrices'}`,
  () => {
    it(
      'give the logits of the float64 model, whoever decodes beside them, at widths with padding',
      async () => {
        // Small tiles compile sooner.
        const gpu = await emulatedGpu(adapter, NVIDIA_MATRICES.slice(0, 1), 16 * 1024);
        const config = tinyConfig({
          hidden_size: 48,
          intermediate_size: 86,
          num_attention_heads: 6,
          num_key_value_heads: 3,
        });
        const weights = randomWeights(config, 'f16', 42);
        const rng = random(7);
        const prompts = [37, 21].map((length) => Array.from({ length }, () => rng.integer(config.vocab)));
        const references = prompts.map(() => new ReferenceLlama(config, weights));
        const lengths = [0, 0];
        const expected = (slot: number, tokens: readonly number[]): Float64Array => {
          const rows = references[slot].hidden(tokens, lengths[slot]);
          lengths[slot] += tokens.length;
          return references[slot].logits(rows.slice(-config.hidden))[0];
        };
        await freeingAll(gpu, async () => {
          const stored = { dtype: 'f16', kv: 'f16' } as const;
          const run = await ModelRun.create(gpu, config, weights, stored, LIMITS, undefined, undefined, CHOICES);
          expect(run.model.matmulVariants(40, 'prefill')).toEqual([expect.stringMatching(/^matrix16x16x16/)]);
          const first = await run.step([], [{ slot: 0, tokens: prompts[0] }]);
          expect(relativeError(first.logits[0], expected(0, prompts[0]))).toBeLessThan(TOLERANCE);
          const second = await run.step([{ slot: 0, tokens: 'sampled' }], [{ slot: 1, tokens: prompts[1] }]);
          expect(relativeError(second.logits[0], expected(0, first.tokens))).toBeLessThan(TOLERANCE);
          expect(relativeError(second.logits[1], expected(1, prompts[1]))).toBeLessThan(TOLERANCE);
        });
      },
      PATIENCE,
    );
  },
);

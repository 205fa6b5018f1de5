import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { EmbedKernel } from '../../../src/kernels/embed/kernel.js';
import { paddedColumns } from '../../../src/kernels/weights.js';
import { random } from '../../reference/compare.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, poisoned, readFloats, storageOf, submit } from '../../support/buffers.js';
import { rowsBuffer, stepUniform, TOKEN_FROM_SLOT } from '../../support/step.js';
import { storedWeights, weightMatrix } from '../../support/weights.js';
import { EMBED_CASES } from './cases.js';
import { DTYPES, QUANTIZED } from '../matmul/cases.js';

describe.each(adapters)('embedding on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  describe.each([...DTYPES, ...QUANTIZED])('of %s', (dtype) => {
    it.each(EMBED_CASES)('copies the rows exactly, %j', async ({ vocab, width, tokens, partRows }) => {
      await freeingAll(gpu, async () => {
        const values = random(vocab).normal(vocab * width);
        const table = storedWeights(values, width, dtype);
        const stride = paddedColumns(width);
        const out = poisoned(gpu, 'out', (tokens.length + 1) * stride);
        // Every other row takes its token from what the sampler left in the row's slot.
        const slotTokens = new Uint32Array(tokens.length + 3).fill(vocab + 1);
        const rows = tokens.map((token, i) => {
          if (i % 2 === 0) return { token, slot: 0 };
          slotTokens[tokens.length + 2 - i] = token;
          return { token: TOKEN_FROM_SLOT, slot: tokens.length + 2 - i };
        });
        const kernel = await EmbedKernel.create(gpu, {
          operation: 'embed',
          step: stepUniform(gpu, { tokens: tokens.length }),
          rows: rowsBuffer(gpu, rows),
          table: weightMatrix(gpu, values, width, dtype, partRows),
          slotTokens: storageOf(gpu, 'slot tokens', slotTokens),
          out,
          outStride: stride,
        });
        submit(gpu, (pass) => kernel.record(pass, tokens.length));
        const words = await readFloats(gpu, out);
        tokens.forEach((token, row) => {
          const expected = new Float32Array(stride);
          expected.set(table.subarray(token * width, (token + 1) * width));
          expect(words.subarray(row * stride, (row + 1) * stride), `token ${token}`).toEqual(expected);
        });
        expect(words.subarray(tokens.length * stride).every(Number.isNaN), 'row behind the last').toBe(true);
      });
    });
  });
});

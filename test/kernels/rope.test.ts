import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { paddedHeadDim } from '../../src/kernels/attention-shape.js';
import { RopeKernel } from '../../src/kernels/rope.js';
import { paddedColumns } from '../../src/kernels/weights.js';
import { parseLlamaConfig } from '../../src/model/config.js';
import { ropeTable } from '../../src/model/rope-table.js';
import { random, relativeError } from '../reference/compare.js';
import * as reference from '../reference/ops.js';
import { adapters, testGpu } from '../support/adapters.js';
import { freeingAll, POISON, poisoned, readFloats, storageOf, strided, submit } from '../support/buffers.js';
import { cachedRow, cacheOf, pairedHeads, scattered } from '../support/paged.js';
import { rowsBuffer, stepUniform } from '../support/step.js';
import { rounded } from '../support/weights.js';
import { worstErrors } from '../support/worst.js';
import { HEAD_SHAPES, KV_STORED, ROPE_POSITIONS } from './cases/attention.js';

/** Angles rounded to f32 and three roundings of the rotation; f16 storage rounds to 11 bits, half of 2^-10. */
const TOLERANCE = { queries: 2e-7, f32: 2e-7, f16: 5e-4 };
const worst = worstErrors();

/** A head dimension's slice of [tokens][heads][headDim], row by row. */
function columns(x: Float64Array, width: number, begin: number, end: number): Float64Array {
  return x.filter((_, at) => at % width >= begin && at % width < end);
}

describe.each(adapters)('rope and the write of keys and values on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => void (gpu = await testGpu(adapter)));

  describe.each(KV_STORED)('cache of %s', (kv) => {
    it.each(HEAD_SHAPES)('matches float64, %j', async (shape) => {
      await freeingAll(gpu, async () => {
        const { heads, kvHeads, headDim } = shape;
        const tokens = ROPE_POSITIONS.length;
        const config = parseLlamaConfig({
          ...{ hidden_size: heads * headDim, num_attention_heads: heads, num_key_value_heads: kvHeads },
          ...{ head_dim: headDim, intermediate_size: 8, num_hidden_layers: 1, vocab_size: 8 },
        });
        const width = (heads + 2 * kvHeads) * headDim;
        const qkv = rounded(random(headDim + heads).normal(tokens * width), 'f32');
        const query = columns(qkv, width, 0, heads * headDim);
        const key = columns(qkv, width, heads * headDim, (heads + kvHeads) * headDim);
        const value = columns(qkv, width, (heads + kvHeads) * headDim, width);
        // The projection's rows are put in pairs at load, so the kernel sees queries and keys so; values as they are.
        const input = Float64Array.from(qkv);
        const rotated = pairedHeads(qkv, headDim);
        for (let at = 0; at < qkv.length; at++) if (at % width < (heads + kvHeads) * headDim) input[at] = rotated[at];

        const placement = scattered([ROPE_POSITIONS.at(-1)! + 1]);
        const stride = paddedColumns(width);
        const padded = paddedHeadDim(headDim);
        const queries = poisoned(gpu, 'queries', (tokens + 1) * heads * padded);
        const keys = cacheOf(gpu, shape, kv, placement, []);
        const values = cacheOf(gpu, shape, kv, placement, []);
        const kernel = await RopeKernel.create(gpu, {
          ...{ operation: 'rope', shape, kv, queries, keys, values, qkvStride: stride },
          step: stepUniform(gpu, { tokens }),
          rows: rowsBuffer(
            gpu,
            ROPE_POSITIONS.map((position) => ({ position, kvIndex: placement.kvIndex(0, position) })),
          ),
          qkv: storageOf(gpu, 'qkv', strided(input, width, stride)),
          angles: storageOf(gpu, 'angles', ropeTable(config, ROPE_POSITIONS.at(-1)! + 1)),
        });
        submit(gpu, (pass) => kernel.record(pass, tokens));

        const frequencies = reference.ropeFrequencies(config);
        const expectedQueries = pairedHeads(reference.rope(query, ROPE_POSITIONS, frequencies), headDim);
        const expectedKeys = pairedHeads(reference.rope(key, ROPE_POSITIONS, frequencies), headDim);

        const words = await readFloats(gpu, queries);
        const bits = new Uint32Array(words.buffer);
        const written = Float64Array.from(
          words.filter((_, at) => at % padded < headDim && at < tokens * heads * padded),
        );
        const error = relativeError(written, expectedQueries);
        worst(`${adapter} rope queries`, error);
        expect(error, 'queries').toBeLessThan(TOLERANCE.queries);
        const touched = bits.filter(
          (word, at) => word !== POISON && (at % padded >= headDim || at >= tokens * heads * padded),
        );
        expect(touched.length, 'words touched in the padding').toBe(0);

        for (const [name, buffer, expected] of [
          ['keys', keys, expectedKeys],
          ['values', values, value],
        ] as const) {
          const bytes = await gpu.read(buffer);
          const found = ROPE_POSITIONS.flatMap((position) => [
            ...cachedRow(bytes, shape, kv, placement.kvIndex(0, position)),
          ]);
          const inside = Float64Array.from(found.filter((_, at) => at % padded < headDim));
          const cacheError = relativeError(inside, expected);
          worst(`${adapter} rope ${name} ${kv}`, cacheError);
          expect(cacheError, name).toBeLessThan(TOLERANCE[kv]);
          expect(
            found.filter((_, at) => at % padded >= headDim).every((x) => x === 0),
            `${name} padding`,
          ).toBe(true);
          // Every other place of the cache is as it was.
          const places = new Set(ROPE_POSITIONS.map((position) => placement.kvIndex(0, position)));
          for (let index = 0; index < placement.total * 16; index++) {
            if (places.has(index)) continue;
            const row = cachedRow(bytes, shape, kv, index);
            expect(row.filter((x, at) => at % padded < headDim && !Number.isNaN(x)).length, `place ${index}`).toBe(0);
          }
        }
      });
    });
  });

  it('keeps keys beyond the range of f16 finite', async () => {
    await freeingAll(gpu, async () => {
      const shape = { heads: 1, kvHeads: 1, headDim: 8 };
      const placement = scattered([1]);
      const config = parseLlamaConfig({
        ...{ hidden_size: 8, num_attention_heads: 1, intermediate_size: 8, num_hidden_layers: 1, vocab_size: 8 },
      });
      const keys = cacheOf(gpu, shape, 'f16', placement, []);
      const values = cacheOf(gpu, shape, 'f16', placement, []);
      const kernel = await RopeKernel.create(gpu, {
        ...{ operation: 'rope', shape, kv: 'f16', keys, values, qkvStride: 32 },
        step: stepUniform(gpu, { tokens: 1 }),
        rows: rowsBuffer(gpu, [{ kvIndex: placement.kvIndex(0, 0) }]),
        qkv: storageOf(
          gpu,
          'qkv',
          new Float32Array(32).map((_, i) => (i % 2 ? -1e6 : 1e6)),
        ),
        angles: storageOf(gpu, 'angles', ropeTable(config, 1)),
        queries: poisoned(gpu, 'queries', 8),
      });
      submit(gpu, (pass) => kernel.record(pass, 1));
      for (const buffer of [keys, values]) {
        const row = cachedRow(await gpu.read(buffer), shape, 'f16', placement.kvIndex(0, 0));
        expect([...row]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => (i % 2 ? -65504 : 65504)));
      }
    });
  });
});

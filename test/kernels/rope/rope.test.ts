import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../../src/gpu/gpu.js';
import { KV_STORED, paddedHeadDim } from '../../../src/kernels/attention/shape.js';
import { RopeKernel } from '../../../src/kernels/rope/kernel.js';
import { paddedColumns } from '../../../src/kernels/weights.js';
import { parseConfig } from '../../../src/model/config.js';
import { ropeTable } from '../../../src/model/rope-table.js';
import { random, relativeError } from '../../reference/compare.js';
import * as reference from '../../reference/ops.js';
import { adapters, testGpu } from '../../support/adapters.js';
import { freeingAll, POISON, poisoned, readFloats, storageOf, strided, submit } from '../../support/buffers.js';
import { cachedRow, cachedScales, cacheOf, pairedHeads, scattered } from '../../support/paged.js';
import { rowsBuffer, stepUniform } from '../../support/step.js';
import { rounded } from '../../support/weights.js';
import { worstErrors } from '../../support/worst.js';
import { HEAD_SHAPES, ROPE_POSITIONS } from '../attention/cases.js';
import { scaled } from '../../support/scale.js';

/**
 * Angles rounded to f32 and three roundings of the rotation; f16 storage rounds to 11 bits, half of 2^-10; int8 to half a
 * step, which is the largest of a head's numbers / 254.
 */
const TOLERANCE = { queries: 2e-7, f32: 2e-7, f16: 5e-4, int8: 1e-2 };
/** Steps of its head's scale by which a number of int8 may be off: half a step, and what f32 adds to 127 of them. */
const HALF_STEP = 0.5001;
const worst = worstErrors();
const ZEROS = (length: number): number[] => new Array<number>(length).fill(0);

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
        const config = parseConfig({
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
          if (kv === 'int8') {
            const scales = ROPE_POSITIONS.flatMap((position) => [
              ...cachedScales(bytes, shape, placement.kvIndex(0, position)),
            ]);
            const steps = inside.map((x, at) => Math.abs(x - expected[at]) / scales[Math.floor(at / headDim)]);
            expect(Math.max(...steps), `${name}: steps`).toBeLessThan(HALF_STEP);
          }
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

  /** Files heads of 80 numbers as values of one token each, and reads back what the cache has for them. */
  async function filed(heads: readonly (readonly number[])[]): Promise<{ row: Float64Array; scale: number }[]> {
    const shape = { heads: 1, kvHeads: 1, headDim: 80 };
    const config = parseConfig({
      ...{ hidden_size: 80, num_attention_heads: 1, intermediate_size: 8, num_hidden_layers: 1, vocab_size: 8 },
    });
    return gpu.scoped(async () => {
      const placement = scattered([heads.length]);
      const places = heads.map((_, i) => placement.kvIndex(0, i));
      const cache = {
        keys: cacheOf(gpu, shape, 'int8', placement, []),
        values: cacheOf(gpu, shape, 'int8', placement, []),
      };
      const kernel = await RopeKernel.create(gpu, {
        ...{ operation: 'rope', shape, kv: 'int8', qkvStride: 256, ...cache },
        step: stepUniform(gpu, { tokens: heads.length }),
        rows: rowsBuffer(
          gpu,
          places.map((kvIndex) => ({ kvIndex })),
        ),
        qkv: storageOf(gpu, 'qkv', Float32Array.from(heads.flatMap((head) => [...ZEROS(160), ...head, ...ZEROS(16)]))),
        angles: storageOf(gpu, 'angles', ropeTable(config, 1)),
        queries: poisoned(gpu, 'queries', heads.length * 80),
      });
      submit(gpu, (pass) => kernel.record(pass, heads.length));
      const bytes = await gpu.read(cache.values);
      return places.map((place) => ({
        row: cachedRow(bytes, shape, 'int8', place),
        scale: cachedScales(bytes, shape, place)[0],
      }));
    });
  }

  it('quantises to within half a step, and what int8 holds exactly', async () => {
    const head = fc.oneof(
      fc
        .tuple(
          fc.integer({ min: -90, max: 120 }),
          fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 80, maxLength: 80 }),
        )
        .map(([exponent, numbers]) => ({ exact: false, numbers: numbers.map((x) => Math.fround(x * 2 ** exponent)) })),
      fc
        .tuple(
          fc.integer({ min: -90, max: 110 }),
          fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 79, maxLength: 79 }),
        )
        .map(([exponent, quants]) => ({ exact: true, numbers: [...quants, 127].map((q) => q * 2 ** exponent) })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(head, { minLength: 1, maxLength: 20 }), async (heads) => {
        const found = await filed(heads.map(({ numbers }) => numbers));
        found.forEach(({ row, scale }, i) => {
          const { exact, numbers } = heads[i];
          const most = Math.max(...numbers.map(Math.abs));
          // Heads of next to nothing are filed as zeros.
          if (scale === 0) return expect(most).toBeLessThan(2e-30);
          expect((scale * 127) / most).toBeCloseTo(1, 6);
          // The scale is a quotient in f32, so that numbers which are whole multiples of one come back but for that.
          const steps = exact ? 1e-4 : HALF_STEP;
          numbers.forEach((x, at) => expect(Math.abs(row[at] - x)).toBeLessThanOrEqual(steps * scale));
        });
      }),
      { numRuns: scaled(30, 10) },
    );
  });

  it('keeps heads of zeros in int8, and lets infinities and NaN be noticed', async () => {
    const broken = [Infinity, -Infinity, NaN].map((value) => ZEROS(80).map((_, i) => (i === 41 ? value : i)));
    const [zeros, tiny, huge, ...others] = await filed([
      ZEROS(80),
      ZEROS(80).map((_, i) => (i % 2) * 1e-40),
      ZEROS(80).map((_, i) => (i % 2 ? -3e38 : 3e38)),
      ...broken,
      ZEROS(80).map(() => 1),
    ]);
    expect([zeros.scale, ...zeros.row]).toEqual(ZEROS(81));
    expect([tiny.scale, ...tiny.row]).toEqual(ZEROS(81));
    huge.row.forEach((x, i) => expect(x / (i % 2 ? -3e38 : 3e38)).toBeCloseTo(1, 6));
    // The scale says it, so every number of the head does.
    for (const { scale, row } of others.slice(0, 3)) expect([scale, ...row].every(Number.isNaN)).toBe(true);
    others[3].row.forEach((x) => expect(x).toBeCloseTo(1, 6));
  });

  it('keeps keys beyond the range of f16 finite', async () => {
    await freeingAll(gpu, async () => {
      const shape = { heads: 1, kvHeads: 1, headDim: 8 };
      const placement = scattered([1]);
      const config = parseConfig({
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

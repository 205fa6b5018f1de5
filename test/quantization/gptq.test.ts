import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QUANTIZED_DTYPES, quantFormat } from '../../src/quantization/formats.js';
import { fromGptq, gptqRows, toGptq } from '../../src/quantization/gptq.js';
import { quantizedRows, quantizeRows } from '../../src/quantization/quantize.js';
import { random } from '../reference/compare.js';

describe('rows transposed as GPTQ has them', () => {
  it.each(QUANTIZED_DTYPES)('come back bit for bit in %s, paddings included', (dtype) => {
    const format = quantFormat(dtype);
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 41 }),
      columns: fc.integer({ min: 1, max: 300 }),
      before: fc.integer({ min: 0, max: 5 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(sizes, ({ rows, columns, before, seed }) => {
        const stride = Math.ceil(columns / 32) * 32;
        const rng = random(seed);
        const values = new Float32Array(rows * stride);
        for (let row = 0; row < rows; row++) {
          // Lopsided, so that zeros differ; some rows are all zeros.
          const shift = row % 5 === 4 ? 0 : rng.uniform(1, -1, 1)[0];
          const own = row % 5 === 4 ? new Float64Array(columns) : rng.normal(columns, 1).map((x) => x + shift);
          values.set(Float32Array.from(own), row * stride);
        }
        const expected = quantizedRows(rows, stride, format);
        expect(quantizeRows(values, { rows, columns: stride, format }, expected)).toBe(-1);

        const between = gptqRows(before + rows, columns, format);
        toGptq(expected, { rows, stride, columns, format }, between, before);
        const found = quantizedRows(rows, stride, format);
        found.quants.fill(0xa5);
        found.scales.fill(0xdeadbeef);
        // In another order and back again, as rows of heads are.
        const target = Uint32Array.from({ length: rows }, (_, i) => (i * 7) % rows);
        const places = rows % 7 === 0 ? Uint32Array.from({ length: rows }, (_, i) => rows - 1 - i) : target;
        const source = places.map((place) => place + before);
        fromGptq(
          between,
          { columns, groupSize: format.group, stride, format },
          { count: rows, source, target: places },
          found,
        );
        expect(found.quants).toEqual(expected.quants);
        expect(found.scales).toEqual(expected.scales);
      }),
      { numRuns: 25 },
    );
  });
});

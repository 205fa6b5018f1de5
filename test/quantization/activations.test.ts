import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activationWords,
  dequantizeActivations,
  LEAST_MAXIMUM,
  quantizeActivations,
} from '../../src/quantization/activations.js';
import { groupsOf, quantFormat } from '../../src/quantization/formats.js';

const rowsOf = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: -60, max: 60 }))
  .chain(([rows, units, exponent]) =>
    fc
      .array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: rows * units * 32, maxLength: rows * units * 32 })
      .map((values) => ({ rows, values: Float32Array.from(values, (value) => value * 2 ** exponent) })),
  );

describe.each(['int8-g64', 'int8-g64-zp'] as const)('activations for %s weights', (name) => {
  const format = quantFormat(name);

  it('come back within half a step of their row', () => {
    fc.assert(
      fc.property(rowsOf, ({ rows, values }) => {
        const columns = values.length / rows;
        const words = quantizeActivations(values, rows, columns, format);
        const back = dequantizeActivations(words, rows, columns, format);
        const rowWords = activationWords(columns, format);
        for (let row = 0; row < rows; row++) {
          const own = values.subarray(row * columns, (row + 1) * columns);
          const most = own.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          const scale = new Float32Array(words.buffer)[row * rowWords];
          expect(scale).toBe(most < LEAST_MAXIMUM ? 0 : Math.fround(most * Math.fround(1 / 127)));
          const step = scale === 0 ? 2 * LEAST_MAXIMUM : scale * (1 + 1e-5);
          own.forEach((value, i) => {
            expect(Math.abs(back[row * columns + i] - value)).toBeLessThanOrEqual(0.5 * step);
          });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('carry the sums of their quants over each group of weights, where those have zero points', () => {
    fc.assert(
      fc.property(rowsOf, ({ rows, values }) => {
        const columns = values.length / rows;
        const words = quantizeActivations(values, rows, columns, format);
        const rowWords = activationWords(columns, format);
        expect(words.length).toBe(rows * rowWords);
        expect(rowWords % 4).toBe(0);
        if (format.symmetric) return;
        const [quants, sums] = [new Int8Array(words.buffer), new Int32Array(words.buffer)];
        for (let row = 0; row < rows; row++) {
          const own = quants.subarray(4 * (row * rowWords + 4), 4 * (row * rowWords + 4) + columns);
          for (let group = 0; group < groupsOf(columns, format); group++) {
            const part = own.subarray(group * format.group, (group + 1) * format.group);
            const sum = part.reduce((a, b) => a + b, 0);
            expect(sums[row * rowWords + 4 + columns / 4 + group]).toBe(sum);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keep whole multiples of their scale, zeros, and what is not a number', () => {
    const whole = Float32Array.from({ length: 256 }, (_, i) => 2 * (i - 127)).subarray(0, 224);
    const back = dequantizeActivations(quantizeActivations(whole, 1, 224, format), 1, 224, format);
    whole.forEach((value, i) => expect(back[i]).toBeCloseTo(value, 4));
    const zeros = quantizeActivations(new Float32Array(32), 1, 32, format);
    expect(zeros.every((word) => word === 0)).toBe(true);
    for (const odd of [NaN, Infinity, -Infinity]) {
      const values = new Float32Array(64).fill(1, 0, 40);
      values[33] = odd;
      const made = dequantizeActivations(quantizeActivations(values, 2, 32, format), 2, 32, format);
      expect([...made.subarray(0, 32)].every((value) => Math.abs(value - 1) < 1e-6)).toBe(true);
      expect([...made.subarray(32)].every(Number.isNaN)).toBe(true);
    }
  });
});

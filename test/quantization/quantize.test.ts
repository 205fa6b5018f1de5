import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f16ToF32, f32Value } from '../../src/checkpoint/float.js';
import { middleOf, quantFormat, QUANTIZED_DTYPES, quantRange, scaleWords } from '../../src/quantization/formats.js';
import { dequantizeRows, quantAt, quantizedRows, quantizeRows, scaleAt } from '../../src/quantization/quantize.js';

const float = fc.float({ noNaN: true, min: -8, max: 8 });

describe.each(QUANTIZED_DTYPES)('%s', (name) => {
  const format = quantFormat(name);
  const { least, most } = quantRange(format);

  const quantized = (values: Float32Array, rows: number) => {
    const columns = values.length / rows;
    const made = quantizedRows(rows, columns, format);
    expect(quantizeRows(values, { rows, columns, format }, made)).toBe(-1);
    return { ...made, back: dequantizeRows(made, rows, columns, format) };
  };
  const groupOf = (scales: Uint32Array, columns: number, row: number, col: number) => {
    const words = scaleWords(columns, format);
    return scaleAt(scales.subarray(row * words, (row + 1) * words), Math.floor(col / format.group), format);
  };

  it('brings each weight back within half a step of its group', () => {
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 21 }), fc.integer({ min: -20, max: 12 }))
      .chain(([rows, units, exponent]) =>
        fc
          .array(float, { minLength: rows * units * 8, maxLength: rows * units * 8 })
          .map((values) => ({ rows, values: Float32Array.from(values, (v) => v * 2 ** exponent) })),
      );
    fc.assert(
      fc.property(matrix, ({ rows, values }) => {
        const columns = values.length / rows;
        const { back, scales } = quantized(values, rows);
        values.forEach((value, i) => {
          const { scale } = groupOf(scales, columns, Math.floor(i / columns), i % columns);
          expect(Math.abs(back[i] - value)).toBeLessThanOrEqual(0.5 * scale * (1 + 1e-9));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps what it can represent exactly', () => {
    const group = fc.tuple(
      fc.integer({ min: 0x0400, max: 0x6000 }),
      format.symmetric ? fc.constant(middleOf(format)) : fc.integer({ min: 0, max: most }),
      fc.array(fc.integer({ min: least, max: most }), { minLength: format.group, maxLength: format.group }),
    );
    fc.assert(
      fc.property(group, ([half, zero, quants]) => {
        const scale = f32Value(f16ToF32(half));
        // Both ends occur, so that the group's range tells its scale.
        const ends = [least, most, zero, ...quants.slice(3)];
        const values = Float32Array.from(ends, (q) => scale * (q - zero));
        const { back } = quantized(values, 1);
        expect([...back].map((v) => v + 0)).toEqual([...values].map((v) => v + 0));
      }),
      { numRuns: 60 },
    );
  });

  it('makes zeros of zeros, and of a constant group the constant', () => {
    const zeros = quantized(new Float32Array(256), 2);
    expect(zeros.back.every((value) => value === 0)).toBe(true);
    expect(zeros.scales.every((word) => Number.isFinite(scaleAt(Uint32Array.of(word), 0, format).scale))).toBe(true);
    for (const constant of [1, -3, 0.1, 1e-7, -6e-8, 1000]) {
      const { back, scales } = quantized(new Float32Array(128).fill(constant), 1);
      const { scale } = groupOf(scales, 128, 0, 0);
      // The end of the range: what is left is the rounding of the scale to f16.
      for (const value of back) expect(Math.abs(value - constant)).toBeLessThanOrEqual(0.5 * scale);
      if (Math.abs(constant) > 1e-3) expect(Math.abs(back[0] / constant - 1)).toBeLessThan(2 ** -10);
    }
  });

  it('keeps zeros zero beside any other weights', () => {
    fc.assert(
      fc.property(fc.array(float, { minLength: 31, maxLength: 31 }), (values) => {
        expect(quantized(Float32Array.of(0, ...values), 1).back[0]).toBe(0);
      }),
    );
  });

  it('says which value no scale reaches', () => {
    const values = new Float32Array(64);
    values[37] = -3e38;
    const made = quantizedRows(1, 64, format);
    expect(quantizeRows(values, { rows: 1, columns: 64, format }, made)).toBe(37);
  });

  it('stays within its range', () => {
    const values = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i * i));
    const { quants } = quantized(values, 1);
    for (let i = 0; i < 256; i++) {
      expect(quantAt(quants, i, format)).toBeGreaterThanOrEqual(least);
      expect(quantAt(quants, i, format)).toBeLessThanOrEqual(most);
    }
  });
});

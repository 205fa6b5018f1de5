import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/checkpoint/convert.js';
import type { TargetDtype, TensorDtype } from '../../src/checkpoint/convert.js';
import { messageOf } from './support.js';
import { scaled } from '../support/scale.js';

/** The value of a small float from its definition: no bit tricks, float64 arithmetic only. */
function decode(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

const decodeF16 = (bits: number) => decode(bits, 5, 10);
const decodeBf16 = (bits: number) => decode(bits, 8, 7);

/** The bits of the nearest small float, found by search among the positive ones: an independent slow reference. */
function nearest(value: number, decodeBits: (bits: number) => number, infinity: number): number {
  const magnitude = Math.abs(value);
  let low = 0;
  let high = infinity;
  // The step above the largest finite value counts as one more ordinary step, as IEEE 754 rounds overflow.
  const at = (bits: number) =>
    bits < infinity ? decodeBits(bits) : 2 * decodeBits(infinity - 1) - decodeBits(infinity - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(middle) <= magnitude) low = middle;
    else high = middle - 1;
  }
  if (low < infinity) {
    const [down, above] = [magnitude - at(low), at(low + 1) - magnitude];
    if (above < down || (above === down && low % 2 === 1)) low++;
  }
  return low | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

const what = { tensor: 'w' };
const bytesOf = (array: Uint16Array | Uint32Array | Float32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

function convert16(input: Uint16Array, from: TensorDtype, to: 'f16' | 'bf16'): Uint16Array {
  const out = new Uint16Array(input.length).fill(0xdead);
  convert(bytesOf(input), from, to, bytesOf(out), what);
  return out;
}

describe('convert', () => {
  it.each(['F16', 'BF16'] as const)('%s to f32 is exact for all 65,536 values', (from) => {
    const out = new Float32Array(65536).fill(7);
    convert(bytesOf(all), from, 'f32', bytesOf(out), what);
    const decodeBits = from === 'F16' ? decodeF16 : decodeBf16;
    let wrong = 0;
    for (let bits = 0; bits < 65536; bits++) if (!Object.is(out[bits], decodeBits(bits))) wrong++;
    expect(wrong).toBe(0);
  });

  it('F16 to bf16 rounds all 65,536 values to nearest, ties to even', () => {
    const out = convert16(all, 'F16', 'bf16');
    let wrong = 0;
    for (let bits = 0; bits < 65536; bits++) {
      const value = decodeF16(bits);
      const right = Number.isNaN(value)
        ? Number.isNaN(decodeBf16(out[bits]))
        : out[bits] === nearest(value, decodeBf16, 0x7f80);
      if (!right) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('BF16 to f16 rounds all values in range and refuses each of the others', () => {
    let wrong = 0;
    let refused = 0;
    for (let bits = 0; bits < 65536; bits++) {
      const value = decodeBf16(bits);
      const outOfRange = Number.isFinite(value) && Math.abs(value) >= 65520;
      try {
        const [out] = convert16(all.subarray(bits, bits + 1), 'BF16', 'f16');
        const right = Number.isNaN(value) ? Number.isNaN(decodeF16(out)) : out === nearest(value, decodeF16, 0x7c00);
        if (!right || outOfRange) wrong++;
      } catch {
        refused++;
        if (!outOfRange) wrong++;
      }
    }
    expect(wrong).toBe(0);
    expect(refused).toBeGreaterThan(20_000);
  });

  it.each([
    ['f16', decodeF16, 0x7c00],
    ['bf16', decodeBf16, 0x7f80],
  ] as const)('F32 to %s rounds like a slow reference', (to, decodeBits, infinity) => {
    const interesting = fc.oneof(
      fc.float(),
      fc.integer({ min: 0, max: 0xffffffff }).map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]),
      // Around the halfway points between neighbours, where rounding is decided.
      fc.tuple(fc.nat(infinity - 1), fc.integer({ min: -2, max: 2 }), fc.boolean()).map(([bits, ulps, negative]) => {
        const above = bits + 1 < infinity ? decodeBits(bits + 1) : 2 * decodeBits(bits) - decodeBits(bits - 1);
        const half = Float32Array.of((decodeBits(bits) + above) / 2);
        new Uint32Array(half.buffer)[0] = Math.max(0, new Uint32Array(half.buffer)[0] + ulps);
        return negative ? -half[0] : half[0];
      }),
    );
    fc.assert(
      fc.property(interesting, (value) => {
        const out = Uint16Array.of(0xdead);
        const input = Float32Array.of(value);
        const expected = Number.isNaN(value) ? NaN : nearest(value, decodeBits, infinity);
        if (Number.isFinite(value) && (expected & 0x7fff) === infinity) {
          expect(() => convert(bytesOf(input), 'F32', to, bytesOf(out), what)).toThrow(
            /w: element 0 is .* beyond the range/,
          );
          return;
        }
        convert(bytesOf(input), 'F32', to, bytesOf(out), what);
        if (Number.isNaN(value)) expect(decodeBits(out[0])).toBeNaN();
        else expect(out[0]).toBe(expected);
      }),
      { numRuns: scaled(10_000, 1_000) },
    );
  });

  it('keeps NaN a NaN, however small its payload', () => {
    const nan = Uint32Array.of(0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff);
    for (const to of ['f16', 'bf16'] as const) {
      const out = new Uint16Array(4);
      convert(bytesOf(nan), 'F32', to, bytesOf(out), what);
      expect([...out].map(to === 'f16' ? decodeF16 : decodeBf16)).toEqual([NaN, NaN, NaN, NaN]);
      expect([...out].map((bits) => bits >> 15)).toEqual([0, 1, 0, 1]);
    }
  });

  it('copies equal dtypes byte for byte, NaN payloads included', () => {
    const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 3)) & 255);
    for (const [from, to] of [
      ['F16', 'f16'],
      ['BF16', 'bf16'],
      ['F32', 'f32'],
    ] as [TensorDtype, TargetDtype][]) {
      const out = new Uint8Array(4096);
      convert(noise, from, to, out, what);
      expect(Buffer.compare(out, noise)).toBe(0);
    }
  });

  it('takes bytes at any alignment', () => {
    const input = Float32Array.of(1, -2.5, 3.140625, 1e-7);
    for (let shift = 0; shift < 4; shift++) {
      const src = new Uint8Array(16 + shift);
      src.set(bytesOf(input), shift);
      const dst = new Uint8Array(8 + shift).fill(0xee);
      convert(src.subarray(shift), 'F32', 'f16', dst.subarray(shift), what);
      const out = new Uint16Array(dst.slice(shift).buffer);
      expect([...out].map(decodeF16)).toEqual([1, -2.5, 3.140625, 2 ** -23]);
      expect([...dst.subarray(0, shift)]).toEqual(new Array(shift).fill(0xee));
    }
  });

  it('names the tensor, the element and the way out', async () => {
    const out = new Uint8Array(6);
    const run = (value: number, to: 'f16' | 'bf16', check = false) =>
      messageOf(() =>
        convert(bytesOf(Float32Array.of(0, 0, value)), 'F32', to, out, { tensor: 'w', firstElement: 40, check }),
      );
    expect(await run(1e5, 'f16')).toBe(
      'w: element 42 is 100000, beyond the range of float16; load with dtype bf16 or dtype f32',
    );
    expect(await run(-3.4e38, 'bf16')).toMatch(
      /^w: element 42 is -3.39.*e\+38, beyond the range of bfloat16; load with dtype f32$/,
    );
    expect(await run(NaN, 'f16', true)).toBe('w: element 42 is NaN; the checkpoint is damaged');
    expect(await run(-Infinity, 'f16', true)).toMatch(/element 42 is -Infinity/);
    convert(bytesOf(Float32Array.of(0, 65519.996, Infinity)), 'F32', 'f16', out, what);
    expect([...new Uint16Array(out.buffer)]).toEqual([0, 0x7bff, 0x7c00]);
    expect(await messageOf(() => convert(new Uint8Array(7), 'F16', 'f16', out, what))).toMatch(/do not convert/);
  });
});

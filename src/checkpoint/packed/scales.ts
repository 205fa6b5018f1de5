import { RidgepointError } from '../../errors.js';
import { f16ToF32, f32ToF16, f32Value } from '../float.js';
import type { RowScales } from '../quants.js';
import type { PackedMatrix, ScaleDtype } from './format.js';

/** Scales and zeros of a whole matrix. */
export interface PackedScales {
  /** [inputs]: the group of each. */
  readonly groupOf: Uint32Array;
  /** [groups][outputs]: f16 bits of the scales, what they stand for, and zeros. */
  readonly bits: Uint16Array;
  readonly values: Float32Array;
  readonly zeros: Uint16Array;
}

/** Scales as f16 bits; one beyond f16's range becomes an infinity. */
export function halfScales(bytes: ArrayBuffer, dtype: ScaleDtype): Uint16Array<ArrayBuffer> {
  if (dtype === 'F16') return new Uint16Array(bytes);
  const bits =
    dtype === 'F32' ? new Uint32Array(bytes) : Uint32Array.from(new Uint16Array(bytes), (half) => half << 16);
  return Uint16Array.from(bits, (value) => f32ToF16(value >>> 0));
}

/** @param place of an output's zero in its word, counted in zeros from the lowest bits */
export function unpackScales(
  { name, outputs, groups, bits, zeroOffset, scaleDtype }: PackedMatrix,
  stored: { readonly scales: ArrayBuffer; readonly zeros: ArrayBuffer; readonly groupOf: Uint32Array },
  place: (output: number) => number,
): PackedScales {
  const half = halfScales(stored.scales, scaleDtype);
  const infinite = half.findIndex((value) => (value & 0x7c00) === 0x7c00);
  if (infinite >= 0) {
    const what = `element ${infinite} is not a finite number; the checkpoint is damaged`;
    throw new RidgepointError('checkpoint', `${name}.scales: ${what}`);
  }
  const words = new Uint32Array(stored.zeros);
  const pack = 32 / bits;
  const mask = 2 ** bits - 1;
  const zeros = Uint16Array.from({ length: groups * outputs }, (_, i) => {
    const [group, row] = [Math.floor(i / outputs), i % outputs];
    const word = words[group * Math.ceil(outputs / pack) + Math.floor(row / pack)] >>> (bits * place(row));
    return (word + zeroOffset) & mask;
  });
  const values = Float32Array.from(half, (value) => f32Value(f16ToF32(value)));
  return { groupOf: stored.groupOf, bits: half, values, zeros };
}

/** Scales of single columns of outputs. */
export function rowScales({ outputs }: PackedMatrix, { groupOf, bits, zeros }: PackedScales): RowScales {
  return {
    at: (row, column) => {
      const index = groupOf[column] * outputs + row;
      return { scale: bits[index], zero: zeros[index] };
    },
    uniform: (begin, end) => groupOf.subarray(begin, end).every((group) => group === groupOf[begin]),
  };
}

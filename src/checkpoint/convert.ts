import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import { f16ToF32, f32ToBf16, f32ToF16, f32Value } from './float.js';

/** Dtypes of a checkpoint that can become weights, as safetensors spells them. */
export type TensorDtype = 'F32' | 'F16' | 'BF16';
/** Dtypes weights are converted to. */
export type TargetDtype = 'f16' | 'bf16' | 'f32';

/** Which values are being converted, for error messages. */
export interface ConvertContext {
  readonly tensor: string;
  /** Index in the tensor of the first value. */
  readonly firstElement?: number;
  /** Refuse NaN and infinite values. */
  readonly check?: boolean;
}

/** The bits of little-endian values, as every platform with WebGPU stores them. */
export type Bits = Uint16Array | Uint32Array;

/** Converts `src[s..s+n)` into `dst[d..d+n)`; returns the index in src of a finite value that overflowed, or -1. */
export type ConvertRun = (src: Bits, s: number, dst: Bits, d: number, n: number) => number;

export const SOURCE_BYTES: Readonly<Record<TensorDtype, 2 | 4>> = { F32: 4, F16: 2, BF16: 2 };
export const TARGET_BYTES: Readonly<Record<TargetDtype, 2 | 4>> = { f32: 4, f16: 2, bf16: 2 };

/** Exponent bits, all set in infinities and NaN only. */
const EXPONENT = { F32: 0x7f800000, F16: 0x7c00, BF16: 0x7f80 } as const;
const TARGET_AS_SOURCE = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
const LONG_NAME = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const;

const copy: ConvertRun = (src, s, dst, d, n) => {
  dst.set(src.subarray(s, s + n), d);
  return -1;
};

/** A table over all 65,536 values beats bit arithmetic: it is small enough for the L2 cache. */
function tableRun(table: Bits, sourceExponent: number, targetExponent: number): ConvertRun {
  return (src, s, dst, d, n) => {
    let bad = -1;
    for (let i = 0; i < n; i++) {
      const bits = src[s + i];
      const out = table[bits];
      if ((out & targetExponent) === targetExponent && (bits & sourceExponent) !== sourceExponent && bad < 0)
        bad = s + i;
      dst[d + i] = out;
    }
    return bad;
  };
}

function makeTable(table: Bits, of: (bits: number) => number): Bits {
  for (let bits = 0; bits < 65536; bits++) table[bits] = of(bits);
  return table;
}

/** The exponents of two f16 or bf16 in a word, and their lowest bits: the sum reaches a sign bit from all ones only. */
const TWO = { f16: [0x7c007c00, 0x04000400], bf16: [0x7f807f80, 0x00800080] } as const;
const TWO_SIGNS = 0x80008000;

/**
 * Two values of 16 bits at a time, for twice the speed; looks for what overflowed once all are made.
 *
 * @param byOne says which it was
 */
function pairRun(table: Bits, target: 'f16' | 'bf16', byOne: ConvertRun): ConvertRun {
  const [exponents, lowest] = TWO[target];
  return (src, s, dst, d, n) => {
    const from = src.byteOffset + 2 * s;
    const to = dst.byteOffset + 2 * d;
    if (from % 4 !== 0 || to % 4 !== 0 || n % 2 !== 0) return byOne(src, s, dst, d, n);
    const pairs = n >> 1;
    const source = new Int32Array(src.buffer, from, pairs);
    const made = new Int32Array(dst.buffer, to, pairs);
    let seen = 0;
    for (let i = 0; i < pairs; i++) {
      const both = source[i];
      const out = table[both & 0xffff] | (table[both >>> 16] << 16);
      made[i] = out;
      seen |= (out & exponents) + lowest;
    }
    return (seen & TWO_SIGNS) === 0 ? -1 : byOne(src, s, dst, d, n);
  };
}

const bf16ToF32Run: ConvertRun = (src, s, dst, d, n) => {
  for (let i = 0; i < n; i++) dst[d + i] = src[s + i] << 16;
  return -1;
};

const f32ToBf16Run: ConvertRun = (src, s, dst, d, n) => {
  let bad = -1;
  for (let i = 0; i < n; i++) {
    const bits = src[s + i];
    const out = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    dst[d + i] = out;
    if ((out & 0x7f80) === 0x7f80 || (bits & 0x7f800000) === 0x7f800000) {
      dst[d + i] = f32ToBf16(bits);
      if ((bits & 0x7f800000) !== 0x7f800000 && bad < 0) bad = s + i;
    }
  }
  return bad;
};

const f32ToF16Run: ConvertRun = (src, s, dst, d, n) => {
  let bad = -1;
  for (let i = 0; i < n; i++) {
    const bits = src[s + i];
    const magnitude = bits & 0x7fffffff;
    // The common case, float16's normal range, inline; subnormal, infinite and too large values the long way.
    if (magnitude >= 0x38800000 && magnitude < 0x477ff000) {
      dst[d + i] = ((bits >>> 16) & 0x8000) | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    } else {
      dst[d + i] = f32ToF16(bits);
      if (magnitude >= 0x477ff000 && magnitude < 0x7f800000 && bad < 0) bad = s + i;
    }
  }
  return bad;
};

const runs = new Map<string, ConvertRun>();

function makeRun(from: TensorDtype, to: TargetDtype): ConvertRun {
  const { [from]: source, [TARGET_AS_SOURCE[to]]: target } = EXPONENT;
  if (TARGET_AS_SOURCE[to] === from) return copy;
  if (from === 'F32') return to === 'f16' ? f32ToF16Run : f32ToBf16Run;
  if (from === 'F16') {
    if (to === 'f32') return tableRun(makeTable(new Uint32Array(65536), f16ToF32), source, target);
    const table = makeTable(new Uint16Array(65536), (bits) => f32ToBf16(f16ToF32(bits)));
    return pairRun(table, to, tableRun(table, source, target));
  }
  if (to === 'f32') return bf16ToF32Run;
  const table = makeTable(new Uint16Array(65536), (bits) => f32ToF16((bits << 16) >>> 0));
  return pairRun(table, 'f16', tableRun(table, source, target));
}

/** The conversion from one dtype to another; tables are made once. */
export function convertRun(from: TensorDtype, to: TargetDtype): ConvertRun {
  const key = from + to;
  let run = runs.get(key);
  if (run === undefined) runs.set(key, (run = makeRun(from, to)));
  return run;
}

/** The index of the first NaN or infinity in `src[s..s+n)`, or -1. */
export function firstNonFinite(src: Bits, s: number, n: number, from: TensorDtype): number {
  const exponent = EXPONENT[from];
  for (let i = s; i < s + n; i++) {
    if ((src[i] & exponent) === exponent) return i;
  }
  return -1;
}

function valueOf(bits: number, from: TensorDtype): number {
  if (from === 'F32') return f32Value(bits);
  return f32Value(from === 'F16' ? f16ToF32(bits) : (bits << 16) >>> 0);
}

/** What to tell the user about a value that the target dtype cannot hold. */
export function rangeError(tensor: string, element: number, bits: number, from: TensorDtype, to: TargetDtype) {
  const wide = option('dtype', 'f32');
  const advice = to === 'f16' ? words`load with ${option('dtype', 'bf16')} or ${wide}` : words`load with ${wide}`;
  const value = valueOf(bits, from);
  const message = words`${tensor}: element ${element} is ${value}, beyond the range of ${LONG_NAME[to]}; ${advice}`;
  return new RidgepointError('checkpoint', message);
}

/** What to tell the user about a NaN or infinite weight. */
export function nonFiniteError(tensor: string, element: number, bits: number, from: TensorDtype) {
  const value = valueOf(bits, from);
  return new RidgepointError('checkpoint', `${tensor}: element ${element} is ${value}; the checkpoint is damaged`);
}

/** The bytes as numbers; copied first where they do not start on a multiple of a number's size. */
function asBits(bytes: Uint8Array, size: 2 | 4): Bits {
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const array = size === 2 ? Uint16Array : Uint32Array;
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

/**
 * Converts little-endian values from one dtype to another: round to nearest, ties to even; subnormals, signed zeros,
 * infinities and NaN kept. Equal dtypes are copied byte for byte.
 *
 * @param src whole values of dtype `from`, at any alignment
 * @param dst room for as many values of dtype `to`, at any alignment
 * @throws RidgepointError('checkpoint') for a finite value beyond the range of `to`, and, if asked to check, for NaN
 *   and infinite values; names the tensor and the element
 */
export function convert(src: Uint8Array, from: TensorDtype, to: TargetDtype, dst: Uint8Array, what: ConvertContext) {
  const n = src.length / SOURCE_BYTES[from];
  if (!Number.isInteger(n) || dst.length !== n * TARGET_BYTES[to]) {
    const sizes = `${src.length} bytes ${from} do not convert into ${dst.length} bytes ${to}`;
    throw new RidgepointError('internal', `${what.tensor}: ${sizes}`);
  }
  const input = asBits(src, SOURCE_BYTES[from]);
  const first = what.firstElement ?? 0;
  const nonFinite = what.check ? firstNonFinite(input, 0, n, from) : -1;
  if (nonFinite >= 0) throw nonFiniteError(what.tensor, first + nonFinite, input[nonFinite], from);
  const aligned = dst.byteOffset % TARGET_BYTES[to] === 0;
  const staged = aligned ? dst : new Uint8Array(dst.length);
  const bad = convertRun(from, to)(input, 0, asBits(staged, TARGET_BYTES[to]), 0, n);
  if (bad >= 0) throw rangeError(what.tensor, first + bad, input[bad], from, to);
  if (!aligned) dst.set(staged);
}

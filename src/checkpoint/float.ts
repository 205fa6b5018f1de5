/**
 * Single values between float32, float16 and bfloat16, as bits. All narrowing rounds to nearest, ties to even, as IEEE
 * 754 does by default; NaN stays NaN.
 */

/** float16 bits of float32 bits. */
export function f32ToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x38800000) {
    // At least 2^-14, float16's smallest normal value: move the exponent's bias from 127 to 15, round 13 bits away.
    if (magnitude < 0x477ff000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    if (magnitude <= 0x7f800000) return sign | 0x7c00; // 65520 and more rounds to infinity
    return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  }
  // Subnormal: a multiple of 2^-24. Half of that is 2^-25, which as a tie goes to the even zero.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  return sign | ((mantissa + (1 << (shift - 1)) - 1 + ((mantissa >>> shift) & 1)) >>> shift);
}

/** float32 bits of float16 bits; always exact. */
export function f16ToF32(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Subnormal: shift the leading one to bit 10, where a normal number has its implicit one.
  const shift = Math.clz32(mantissa) - 21;
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

/** bfloat16 bits of float32 bits. */
export function f32ToBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The number that float32 bits stand for. */
export function f32Value(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

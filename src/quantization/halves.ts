import { f32ToF16 } from '../checkpoint/float.js';

/** Numbers in f16, two to a word, as kernels read them. @param values an even number of them */
export function halfWords(values: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) halves[i] = f32ToF16(bits[i]);
  return new Uint32Array(halves.buffer);
}

import type { Checkpoint } from '../../../src/checkpoint/checkpoint.js';
import { f16ToF32, f32ToF16 } from '../../../src/checkpoint/float.js';
import { RidgepointError } from '../../../src/errors.js';
import type { LlamaTensor } from './tensors.js';

/** The whole of a matrix as f16 bits, rounded where the checkpoint holds more. */
export async function readF16(checkpoint: Checkpoint, tensor: LlamaTensor): Promise<Uint16Array<ArrayBuffer>> {
  const info = checkpoint.require(tensor.name, tensor.shape);
  const bytes = new Uint8Array(info.end - info.begin);
  await checkpoint.readRange(tensor.name, 0, bytes);
  if (info.dtype === 'F16') return new Uint16Array(bytes.buffer);
  if (info.dtype === 'F32') return Uint16Array.from(new Uint32Array(bytes.buffer), f32ToF16);
  throw new RidgepointError('usage', `${tensor.name}: bfloat16 would change in float16; take an f16 or f32 checkpoint`);
}

/** A norm's scale, or a bias, as float32. */
export async function readF32(checkpoint: Checkpoint, tensor: LlamaTensor): Promise<Float32Array<ArrayBuffer>> {
  const info = checkpoint.require(tensor.name, tensor.shape);
  const bytes = new Uint8Array(info.end - info.begin);
  await checkpoint.readRange(tensor.name, 0, bytes);
  if (info.dtype === 'F32') return new Float32Array(bytes.buffer);
  const half = new Uint16Array(bytes.buffer);
  const bits = Uint32Array.from(half, info.dtype === 'F16' ? f16ToF32 : (b) => (b << 16) >>> 0);
  return new Float32Array(bits.buffer);
}

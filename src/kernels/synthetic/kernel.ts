import type { Gpu } from '../../gpu/gpu.js';
import { record } from '../../gpu/recorder.js';
import { middleOf, quantFormat, quantRange } from '../../quantization/formats.js';
import { scaleAndZero } from '../../quantization/quantize.js';
import { weightDefines, type StoredDtype, type WeightMatrix } from '../weights.js';

/** The word of scales with which the quants in their range reach from -amplitude to amplitude. */
function scaleWord(dtype: StoredDtype, amplitude: number): number {
  const format = quantFormat(dtype);
  if (format === undefined) return 0;
  const middle = middleOf(format);
  const scale = amplitude / (quantRange(format).most - middle);
  // A symmetric format has another group's scale where others have their zero.
  return format.symmetric ? scaleAndZero(scale, scale) : scaleAndZero(scale, middle);
}

/**
 * Fills a matrix with deterministic pseudo-random weights, uniform in [-amplitude, amplitude], made on the GPU.
 * The same name, seed and place give the same value on every adapter, rounded to what the matrix stores.
 */
export async function fillSynthetic(gpu: Gpu, matrix: WeightMatrix, seed: number, amplitude: number): Promise<void> {
  const pipeline = await gpu.pipelines.get({
    shader: 'synthetic/synthetic.wgsl',
    bindings: 'uw',
    defines: weightDefines(matrix),
  });
  for (const part of matrix.parts) {
    const words = new ArrayBuffer(32);
    const u32 = new Uint32Array(words);
    u32.set([seed >>> 0, part.rowBegin, part.rows, matrix.cols, matrix.stride / 2, matrix.lanes]);
    new Float32Array(words)[6] = amplitude;
    u32[7] = scaleWord(matrix.dtype, amplitude);
    const params = gpu.uniform(`${matrix.name} synthetic params`, words);
    const bindGroup = gpu.bindGroup(pipeline, matrix.name, [params, part.buffer]);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass, { pipeline, bindGroup }, Math.min(part.rows, gpu.capabilities.maxWorkgroupsPerDimension));
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
    gpu.free(params);
  }
}

/** The value `synthetic.wgsl` gives an element before rounding to the stored type, for the reference. */
export function syntheticValue(seed: number, row: number, col: number, amplitude: number): number {
  const hash = (v: number): number => {
    const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
    const word = Math.imul(((state >>> ((state >>> 28) + 4)) ^ state) >>> 0, 277803737) >>> 0;
    return ((word >>> 22) ^ word) >>> 0;
  };
  const stream = hash((seed ^ Math.imul(row, 0x9e3779b9)) >>> 0);
  const h = hash((stream + (col >>> 1)) >>> 0);
  const bits = col % 2 === 0 ? h >>> 21 : (h >>> 10) & 0x7ff;
  return (bits / 1024 - 0.99951171875) * amplitude;
}

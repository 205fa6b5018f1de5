import type { WeightMatrix, WeightPart } from '../weights.js';

/** What happens to a product before it is stored: nothing, added to what is there, or gate and up joined by SiLU. */
export type Epilogue = (typeof EPILOGUES)[number];
const EPILOGUES = ['store', 'residual', 'silu'] as const;

export interface MatmulLaunch {
  /** Row stride of the activations in 32-bit words, a multiple of 4. */
  readonly xStride: number;
  /** Row stride of the result in f32. */
  readonly outStride: number;
  readonly rows?: 'tokens' | 'logits';
  readonly epilogue: Epilogue;
  /** The norm's, of a fused launch. */
  readonly eps?: number;
  /** Where biases begin behind the norm's scale, of a fused launch. */
  readonly bias?: number;
}

/** The parameters of a launch over one part of a weight matrix, as `matmul/matmul.wgsl` reads them. */
export function matmulParams(
  part: WeightPart,
  weights: WeightMatrix,
  { xStride, outStride, rows = 'tokens', epilogue, eps = 0, bias = 0 }: MatmulLaunch,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(12);
  words.set([part.rows, part.rowBegin, weights.stride / 8, xStride / 4, outStride]);
  words.set([rows === 'logits' ? 1 : 0, EPILOGUES.indexOf(epilogue), weights.cols], 5);
  new Float32Array(words.buffer)[8] = eps;
  words[9] = bias / 2;
  return words;
}

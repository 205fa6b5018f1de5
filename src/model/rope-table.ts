import type { ModelConfig } from './config.js';

/**
 * Rotation frequencies in radians a position, one for each pair of a head's dimensions: theta^(-2i / headDim), scaled
 * as the checkpoint says. `llama3` scaling leaves short wavelengths alone, divides long ones by the factor and blends
 * between (Llama 3.1 reference implementation, as in transformers' `_compute_llama3_parameters`).
 */
export function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: ModelConfig): Float64Array {
  const half = headDim / 2;
  const frequencies = new Float64Array(half);
  for (let i = 0; i < half; i++) {
    let frequency = ropeTheta ** ((-2 * i) / headDim);
    if (ropeScaling.type === 'linear') frequency /= ropeScaling.factor;
    if (ropeScaling.type === 'llama3') {
      const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
      const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
      if (turns < lowFreqFactor) frequency /= factor;
      else if (turns <= highFreqFactor) {
        const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        frequency = ((1 - smooth) * frequency) / factor + smooth * frequency;
      }
    }
    frequencies[i] = frequency;
  }
  return frequencies;
}

/**
 * Cosines and sines for every position, [positions][headDim / 2][2]. Made in double precision on the host because
 * WGSL promises nothing for the sine of a large angle.
 */
export function ropeTable(config: ModelConfig, positions: number): Float32Array<ArrayBuffer> {
  const frequencies = ropeFrequencies(config);
  const half = frequencies.length;
  const table = new Float32Array(positions * half * 2);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i];
      const at = 2 * (position * half + i);
      table[at] = Math.cos(angle);
      table[at + 1] = Math.sin(angle);
    }
  }
  return table;
}

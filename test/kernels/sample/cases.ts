import type { SamplingRow } from '../../../src/kernels/sample/kernel.js';

/** Truncations whose frequencies are compared with the float64 reference, by what they try. */
export const TRUNCATIONS: Readonly<Record<string, Partial<SamplingRow>>> = {
  'temperature 1': {},
  'temperature 0.5': { temperature: 0.5 },
  'temperature 3': { temperature: 3 },
  'top-k 5': { topK: 5 },
  'top-k 1': { topK: 1 },
  'top-k above the vocabulary': { topK: 1_000_000 },
  'top-p 0.8': { topP: 0.8 },
  'top-p so small that one stays': { topP: 1e-6 },
  'min-p 0.1': { minP: 0.1 },
  'min-p 1': { minP: 1 },
  'all at once': { temperature: 1.5, topK: 30, topP: 0.9, minP: 0.03 },
};

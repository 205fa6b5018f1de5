import type { ResolvedSampling } from './options/sampling.js';

/** Whether sampling must know which tokens a sequence has seen. */
export function needsTokenState(sampling: ResolvedSampling): boolean {
  return (
    sampling.repetitionPenalty !== 1 ||
    sampling.presencePenalty !== 0 ||
    sampling.frequencyPenalty !== 0 ||
    Object.keys(sampling.logitBias).length > 0
  );
}

/**
 * The sampler's table for a sequence that gets a slot: a bit for every prompt token, the times each token has been
 * generated before, and the biases. [vocab] of (u32, f32).
 */
export function initialTokenState(
  promptIds: readonly number[],
  logitBias: Readonly<Record<number, number>>,
  vocab: number,
  generatedIds: readonly number[] = [],
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(2 * vocab);
  const floats = new Float32Array(words.buffer);
  for (const id of promptIds) words[2 * id] = 0x80000000;
  for (const id of generatedIds) words[2 * id]++;
  for (const [id, bias] of Object.entries(logitBias)) {
    // f32 infinities would make NaN of a masked logit's difference; this is as far as a bias can matter.
    floats[2 * Number(id) + 1] = Math.min(1e30, Math.max(-1e30, bias));
  }
  return words;
}

/** Arithmetic of the blog's running example: "Llama 70B" in fp16 on one H100. */

export const BLOG = {
  parameters: 70e9,
  layers: 80,
  hidden: 8192,
  heads: 64,
  kvHeads: 8,
  headDim: 128,
  feedForward: 28_672,
  flops: 989e12,
  int8Ops: 1979e12,
  bandwidth: 3.35e12,
  /** 80 GiB. */
  capacity: 80 * 2 ** 30,
} as const;

/** FLOP/byte at which the H100's two ceilings meet. */
export const ridge = () => BLOG.flops / BLOG.bandwidth;

/** Which ceiling binds at an intensity, in the blog's words. */
export function bottleneck(intensity: number): 'Compute-bound' | 'Bandwidth-bound' {
  return intensity >= ridge() ? 'Compute-bound' : 'Bandwidth-bound';
}

/** Milliseconds to read all weights once: no decode step on one H100 is faster. */
export const bandwidthFloorMs = (bytesPerWeight = 2) => ((BLOG.parameters * bytesPerWeight) / BLOG.bandwidth) * 1e3;

/** Milliseconds of the linear layers' arithmetic at peak: no prefill is faster. */
export const prefillFloorMs = (tokens: number, rate: number = BLOG.flops) => {
  return ((2 * BLOG.parameters * tokens) / rate) * 1e3;
};

/** A step of `decoding` sequences and a chunk of a prompt: the slower of the two ceilings, in ms. */
export function mixedStepMs(decoding: number, chunk: number): number {
  return Math.max(bandwidthFloorMs(), prefillFloorMs(decoding + chunk));
}

/** FLOPs of attention over S tokens for a number of heads, whole square. `terms` is 2 (one product) or 4 (both). */
export function attentionFlops(tokens: number, terms: 2 | 4, heads: number = BLOG.heads): number {
  return BLOG.layers * terms * heads * tokens ** 2 * BLOG.headDim;
}

/** fp16 bytes of a layer's matrices with the given feed-forward width. */
export function layerBytes(feedForward: number): number {
  const { hidden, heads, kvHeads, headDim } = BLOG;
  const attention = (heads + 2 * kvHeads) * headDim * hidden + heads * headDim * hidden;
  return 2 * (attention + 3 * hidden * feedForward);
}

/** fp16 bytes that flash attention reads and writes in a layer: queries, keys, values and the output. */
export function flashBytes(tokens: number, kvHeads: number): number {
  return 2 * (2 * BLOG.heads + 2 * kvHeads) * BLOG.headDim * tokens;
}

/** The same with the square of scores written and read as the blog counts it, once. */
export const naiveBytes = (tokens: number, kvHeads: number) =>
  flashBytes(tokens, kvHeads) + 2 * BLOG.heads * tokens ** 2;

/** Fewest H100s whose ceilings together allow a time that takes one of them so long. */
export const h100sFor = (oneMs: number, ms: number) => Math.ceil(oneMs / ms);

/** What the page says of "an H100" or "H100", as what a number of them would have to meet at its best. */
const DEMANDS: readonly ((count: number) => boolean)[] = [
  (count) => count * BLOG.capacity >= 2 * BLOG.parameters, // the weights are there
  (count) => prefillFloorMs(2048) / count <= 28.4, // prefill of 2048
  (count) => prefillFloorMs(2048, BLOG.int8Ops) / count <= 15.2, // and in int8
  // 24 tokens a second at batch 1, all that bandwidth allows
  (count) => Math.abs((1e3 * count) / bandwidthFloorMs() - 24) < 0.5,
];

/** The numbers of H100s, up to so many, with which all of that is true at once. */
export function possibleH100s(most: number): number[] {
  return Array.from({ length: most }, (_, at) => at + 1).filter((count) => DEMANDS.every((met) => met(count)));
}

/** The feed-forward width the blog's `decode_roofline` assumes: eight thirds of the hidden size. */
export const assumedFeedForward = () => Math.floor((BLOG.hidden * 8) / 3);

/** What its `decode_roofline` calls a step, in ms: a layer's bytes or FLOPs, 80 times. */
export function rooflineStepMs(batch: number): number {
  const bytes = layerBytes(assumedFeedForward());
  return BLOG.layers * Math.max(bytes / BLOG.bandwidth, (batch * bytes) / BLOG.flops) * 1e3;
}

/** Parameters that its `chunked_prefill_latency` counts FLOPs for, and bytes it reads for them. */
export const chunkedParameters = () => BLOG.layers * 12 * BLOG.hidden ** 2;
export const chunkedBytes = () => BLOG.layers * 32 * BLOG.hidden ** 2;

/** Bytes of KV cache of a prompt. */
export const kvBytes = (tokens: number) => 2 * BLOG.layers * BLOG.kvHeads * BLOG.headDim * 2 * tokens;

/** Seconds to read and to multiply one hidden x hidden matrix for one token. */
export function gemv(): { load: number; compute: number } {
  const elements = BLOG.hidden ** 2;
  return { load: (2 * elements) / BLOG.bandwidth, compute: (2 * elements) / BLOG.flops };
}

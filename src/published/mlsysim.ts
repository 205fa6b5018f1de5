/**
 * The serving model of mlsysim (harvard-edge/cs249r_book), twice: `mlsysim-seed`, which prints the numbers of its
 * tutorial on the two phases, and `mlsysim-main`, the formula of the newer source. Kept apart from this project's own
 * catalogue and predictor, so that a better catalogue never changes what a document said.
 *
 * Where the constants come from:
 * - TTFT, the share of peak, the dispatch time and the hardware rows are read in the source
 *   (`core/solver.py`, `hardware/registry.py`; newer: `engine/solvers/serving.py`).
 * - The tax of 0.10 ms a layer is that of the older source; the newer one has 0.01.
 * - **The KV formula of `mlsysim-seed` is inferred.** The source counts KV heads, which gives 0.268 GB where the page
 *   prints 1.20. The ITL column of the four-GPU table confines the cache at 4096 tokens to 2.396..2.399 GB;
 *   2 L h S b with h = sqrt(P / (12 L)), a hidden size guessed from the number of parameters, gives 2.3975. The line of
 *   code has not been found.
 */

export const MLSYSIM_PRESETS = ['mlsysim-seed', 'mlsysim-main'] as const;
export type MlsysimPreset = (typeof MLSYSIM_PRESETS)[number];
export type MlsysimPrecision = 'fp16' | 'int8' | 'int4';

export interface MlsysimModel {
  readonly parameters: number;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
}

export interface MlsysimHardware {
  /** Dense peak, FLOP/s. A precision that is missing runs at the fp16 rate, as in the source. */
  readonly flops: { readonly fp16: number } & { readonly [precision in MlsysimPrecision]?: number };
  /** Bytes a second; the source applies no efficiency to it. */
  readonly bandwidth: number;
  readonly dispatchMs: number;
  readonly capacity: number;
}

const GiB = 2 ** 30;

/** Parameter counts as in the source's model registry. */
export const MLSYSIM_MODELS = {
  'llama3-8b': { parameters: 8.03e9, layers: 32, hidden: 4096, heads: 32, kvHeads: 8 },
  'llama3-70b': { parameters: 70.6e9, layers: 80, hidden: 8192, heads: 64, kvHeads: 8 },
} as const satisfies Record<string, MlsysimModel>;

/** The hardware registry's rows; capacities are GiB there except the H200's. */
export const MLSYSIM_HARDWARE = {
  T4: { flops: { fp16: 65e12 }, bandwidth: 320e9, dispatchMs: 0.03, capacity: 16 * GiB },
  A100: { flops: { fp16: 312e12, int8: 624e12 }, bandwidth: 2039e9, dispatchMs: 0.015, capacity: 80 * GiB },
  H100: { flops: { fp16: 989e12, int8: 1979e12 }, bandwidth: 3.35e12, dispatchMs: 0.01, capacity: 80 * GiB },
  H200: { flops: { fp16: 989e12, int8: 1979e12 }, bandwidth: 4.8e12, dispatchMs: 0.01, capacity: 141e9 },
} as const satisfies Record<string, MlsysimHardware>;

/** Share of the compute peak that prefill reaches; decode is given all of the bandwidth. */
export const MLSYSIM_EFFICIENCY = 0.5;

/** Milliseconds a layer adds to each decode step. */
export const MLSYSIM_LAYER_TAX_MS: Readonly<Record<MlsysimPreset, number>> = {
  'mlsysim-seed': 0.1,
  'mlsysim-main': 0.01,
};

const BYTES: Readonly<Record<MlsysimPrecision, number>> = { fp16: 2, int8: 1, int4: 0.5 };

export interface MlsysimQuery {
  readonly model?: MlsysimModel;
  readonly hardware?: MlsysimHardware;
  readonly precision?: MlsysimPrecision;
  /** Precision of the arithmetic, where it is not that of the weights (weight-only quantisation). */
  readonly computePrecision?: MlsysimPrecision;
  /** Prompt tokens; the cache a decode step reads has as many. */
  readonly tokens?: number;
  readonly batch?: number;
}

export interface MlsysimResult {
  readonly ttftMs: number;
  readonly itlMs: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** Weights and cache over capacity; above 1 the model does not fit. */
  readonly utilisation: number;
}

/** KV cache in bytes with a hidden size guessed from the parameters and no sharing of KV heads. */
export function kvBytesInferred(model: MlsysimModel, tokens: number, batch = 1, bytes = 2): number {
  return 2 * model.layers * Math.sqrt(model.parameters / (12 * model.layers)) * tokens * batch * bytes;
}

/** KV cache in bytes as the model has it: two vectors a layer and KV head. */
export function kvBytesGrouped(model: MlsysimModel, tokens: number, batch = 1, bytes = 2): number {
  return 2 * model.layers * model.kvHeads * (model.hidden / model.heads) * tokens * batch * bytes;
}

/** FLOPs of attention over the whole square, not the causal half. */
export function attentionFlops(model: MlsysimModel, tokens: number, batch = 1): number {
  return 4 * model.layers * model.hidden * tokens * tokens * batch;
}

/**
 * One answer of the preset; the default query is the tutorial's: Llama-3 8B in fp16 on an H100, 2048 tokens, batch 1.
 */
export function mlsysim(preset: MlsysimPreset, query: MlsysimQuery = {}): MlsysimResult {
  const { model = MLSYSIM_MODELS['llama3-8b'], tokens = 2048, batch = 1 } = query;
  const hardware: MlsysimHardware = query.hardware ?? MLSYSIM_HARDWARE.H100;
  const { precision = 'fp16', computePrecision = precision } = query;
  const main = preset === 'mlsysim-main';
  const bytes = BYTES[precision];
  const flops = 2 * model.parameters * tokens * batch + (main ? attentionFlops(model, tokens, batch) : 0);
  const peak = hardware.flops[computePrecision] ?? hardware.flops.fp16;
  const weightBytes = model.parameters * bytes;
  const kvBytes = (main ? kvBytesGrouped : kvBytesInferred)(model, tokens, batch, bytes);
  return {
    ttftMs: (flops / (peak * MLSYSIM_EFFICIENCY)) * 1e3 + hardware.dispatchMs,
    itlMs: ((weightBytes + kvBytes) / hardware.bandwidth) * 1e3 + model.layers * MLSYSIM_LAYER_TAX_MS[preset],
    weightBytes,
    kvBytes,
    utilisation: (weightBytes + kvBytes) / hardware.capacity,
  };
}

/** TTFT's share of a request: TTFT over TTFT and `outputTokens` decode steps, as the tutorial's exercise counts. */
export function ttftShare(preset: MlsysimPreset, promptTokens: number, outputTokens: number): number {
  const { ttftMs, itlMs } = mlsysim(preset, { tokens: promptTokens });
  return ttftMs / (ttftMs + outputTokens * itlMs);
}

/**
 * The prompt length at which a prefill takes as long as `outputTokens` decode steps over a cache of that length.
 *
 * @param difference prefill less decode time at a prompt length, of rising sign
 * @returns undefined where decode stays longer up to `most` tokens
 */
export function phaseCrossover(difference: (tokens: number) => number, most = 1e7): number | undefined {
  let below = 1;
  let above = most;
  if (difference(above) < 0) return undefined;
  while (above - below > 1e-6 * above) {
    const middle = (below + above) / 2;
    if (difference(middle) < 0) below = middle;
    else above = middle;
  }
  return above;
}

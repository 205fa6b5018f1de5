import { MOST_PARTS, paddedHeadDim } from '../kernels/attention/shape.js';
import { partialBytes } from '../kernels/attention/decode.js';
import type { PromptRows } from '../kernels/matmul/prompt-rows.js';
import { maskWords } from '../kernels/sample/kernel.js';
import { paddedColumns } from '../kernels/weights.js';
import { activationWords } from '../quantization/activations.js';
import type { QuantFormat } from '../quantization/formats.js';
import type { ModelConfig } from './config.js';
import { graphOf } from './families/index.js';
import type { Stream } from './graph.js';

/** How much an engine asks of a model at a time. */
export interface ModelLimits {
  /** Most tokens in one forward pass. */
  readonly stepTokens: number;
  /** Most sequences that run together. */
  readonly sequences: number;
  /** Most rows of generated tokens in one forward pass; default `sequences`. */
  readonly decodeRows?: number;
  /** Most rows that get a token in one forward pass; default `sequences`. */
  readonly logitRows?: number;
  /** Longest sequence. */
  readonly contextLength: number;
}

/** The buffers between operations, and those of the sampler. */
export interface Activations extends Readonly<Record<Stream, GPUBuffer>> {
  /** Of prompts, for the next product. */
  readonly quantized: GPUBuffer;
  /** Rows of prompts in f16. Each has a buffer of its own, whose padding stays zero. */
  readonly halfNormed: GPUBuffer;
  readonly halfAttended: GPUBuffer;
  readonly halfGated: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly partials: GPUBuffer;
  readonly slotTokens: GPUBuffer;
  readonly sampled: GPUBuffer;
  readonly state: GPUBuffer;
  readonly masks: GPUBuffer;
  readonly angles: GPUBuffer;
}

/** Numbers of a row of what passes between operations. */
export type StreamWidths = Readonly<Record<Stream, number>>;

/** The widest row of each kind: what products read and write. */
export function streamWidths(config: ModelConfig): StreamWidths {
  const widths: Record<Stream, number> = { residual: 0, normed: 0, qkv: 0, attended: 0, gated: 0, logits: 0 };
  const { segments, after } = graphOf(config);
  for (const values of [...segments.map(({ layer }) => layer), after]) {
    values.forEach((value, i) => {
      if (value.op !== 'project') return;
      const written = values[i + 1]?.op === 'gate' ? value.n / 2 : value.n;
      widths[value.reads] = Math.max(widths[value.reads], value.k);
      widths[value.writes] = Math.max(widths[value.writes], written);
    });
  }
  return widths;
}

/**
 * Sizes in bytes of the buffers between operations, by name; also what the memory plan adds up.
 *
 * @param rows what rows of prompts are in on their way into a product
 * @param format of the weights that they are quantised for, if they are
 */
export function activationBytes(
  config: ModelConfig,
  limits: ModelLimits,
  rows: PromptRows = 'f32',
  format?: QuantFormat,
): Record<keyof Activations, number> {
  const { heads, headDim, vocab } = config;
  const { stepTokens, sequences, decodeRows = sequences, logitRows = sequences, contextLength } = limits;
  const widths = streamWidths(config);
  const row = (width: number, count = stepTokens): number => count * paddedColumns(width) * 4;
  const widest = paddedColumns(Math.max(widths.residual, widths.attended, widths.gated));
  const half = (width: number): number => (rows === 'f16' ? row(width) / 2 : 16);
  // Where prompts have rows of their own, decoding sequences, which come first in a step, are all that is in f32.
  const inFloat = rows === 'f16' ? Math.min(decodeRows, stepTokens) : stepTokens;
  return {
    residual: row(widths.residual),
    // Decoding sequences are normalised inside their products.
    normed: rows === 'f32' ? row(widths.normed) : 16,
    quantized: format === undefined ? 16 : stepTokens * 4 * activationWords(widest, format),
    halfNormed: half(widths.normed),
    halfAttended: half(widths.attended),
    halfGated: half(widths.gated),
    qkv: row(widths.qkv),
    queries: stepTokens * heads * paddedHeadDim(headDim) * 4,
    attended: row(widths.attended, inFloat),
    gated: row(widths.gated, inFloat),
    logits: row(widths.logits, logitRows),
    partials: partialBytes(config, decodeRows, Math.min(MOST_PARTS, Math.ceil(contextLength / 64))),
    slotTokens: sequences * 4,
    sampled: logitRows * 4,
    state: sequences * vocab * 8,
    masks: sequences * maskWords(vocab) * 4,
    angles: contextLength * headDim * 4,
  };
}

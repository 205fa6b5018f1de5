import type { LayerCache, PagedKv } from '../cache/paged-kv.js';
import type { Gpu } from '../gpu/gpu.js';
import { AttentionKernel, type PrefillAttentionVariant } from '../kernels/attention/kernel.js';
import type { KernelChoices } from '../kernels/choices.js';
import { EmbedKernel } from '../kernels/embed/kernel.js';
import type { FiledHeads, Fusion } from '../kernels/matmul/fusion.js';
import { MatmulKernel } from '../kernels/matmul/kernel.js';
import { NormKernel } from '../kernels/norm/kernel.js';
import type { PromptRows, StoredRows } from '../kernels/matmul/prompt-rows.js';
import { QuantizeKernel, type QuantizeSpec } from '../kernels/quantize/kernel.js';
import { RopeKernel, type HeadConstants } from '../kernels/rope/kernel.js';
import { SampleKernel } from '../kernels/sample/kernel.js';
import { paddedColumns } from '../kernels/weights.js';
import { activationWords } from '../quantization/activations.js';
import type { QuantFormat } from '../quantization/formats.js';
import { streamWidths, type Activations, type ModelLimits } from './activations.js';
import type { ModelConfig } from './config.js';
import type { NormVector, Stream } from './graph.js';
import type { OperationShape } from './operations.js';
import type { StepBuffer, StepCounts } from './step-buffer.js';
import type { ModelWeights } from './weights.js';

/** An operation of the list, ready to be recorded. */
export interface RecordedOperation {
  readonly shape: OperationShape;
  readonly record: (pass: GPUComputePassEncoder, counts: StepCounts) => void;
}

/** What operations are made of. */
export interface OperationParts {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly cache: PagedKv;
  readonly limits: ModelLimits;
  readonly step: StepBuffer;
  readonly buffers: Activations;
  readonly attention: PrefillAttentionVariant;
  readonly choices?: KernelChoices;
  /** What rows of prompts are in on their way into a product. */
  readonly rows: PromptRows;
  /** Format of the weights that prompts' activations are quantised for, if they are. */
  readonly quantized: QuantFormat | undefined;
}

/** Rows an operation has in a step. */
export function rowsOf({ rows }: OperationShape, { tokens, decodeRows, logitRows }: StepCounts): number {
  return rows === 'logits' ? logitRows : rows === 'prompts' ? tokens - decodeRows : tokens;
}

/** Makes the kernel of each operation of the list. */
export class OperationBuilder {
  readonly matmuls: MatmulKernel[] = [];
  /** Numbers from one row to the next. */
  readonly #strides: Readonly<Record<Stream, number>>;
  readonly #gpu: Gpu;
  readonly #parts: OperationParts;

  constructor(gpu: Gpu, parts: OperationParts) {
    this.#gpu = gpu;
    this.#parts = parts;
    const widths = Object.entries(streamWidths(parts.config));
    const strides = widths.map(([stream, width]) => [stream, paddedColumns(width)]);
    this.#strides = Object.fromEntries(strides) as Record<Stream, number>;
  }

  async build(shape: OperationShape): Promise<RecordedOperation> {
    switch (shape.kind) {
      case 'embed':
        return this.#embed(shape);
      case 'norm':
        return this.#norm(shape);
      case 'quantise':
        return this.#quantize(shape, this.#parts.buffers[shape.reads!]);
      case 'matmul':
        return this.#matmul(shape);
      case 'rope':
        return this.#rope(shape);
      case 'attention':
        return this.#attention(shape);
      case 'sample':
        return this.#sample(shape);
    }
  }

  async #embed(shape: OperationShape): Promise<RecordedOperation> {
    const { step, weights, buffers } = this.#parts;
    const kernel = await EmbedKernel.create(this.#gpu, {
      operation: shape.name,
      step: step.head,
      rows: step.rows,
      table: weights.embedding,
      slotTokens: buffers.slotTokens,
      out: buffers.residual,
      outStride: this.#strides.residual,
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  async #sample(shape: OperationShape): Promise<RecordedOperation> {
    const { step, config, buffers } = this.#parts;
    const { logits, state, slotTokens, sampled, masks } = buffers;
    const kernel = await SampleKernel.create(this.#gpu, {
      operation: shape.name,
      step: step.head,
      vocab: config.vocab,
      stride: this.#strides.logits,
      sampling: step.sampling,
      ...{ logits, state, slotTokens, sampled, masks },
    });
    return { shape, record: (pass, counts) => kernel.record(pass, counts.logitRows, counts.greedy) };
  }

  async #matmul(shape: OperationShape): Promise<RecordedOperation> {
    const { weights: all, buffers, limits, step, rows, choices } = this.#parts;
    const { reads, writes } = shape as Required<OperationShape>;
    const logits = shape.rows === 'logits';
    const weights = shape.layer === undefined ? all.lmHead : all.layers[shape.layer].matrices[shape.part];
    const gated = shape.gates !== undefined && rows === 'f16';
    const kernel = await MatmulKernel.create(this.#gpu, {
      operation: shape.name,
      weights,
      epilogue: shape.adds ? 'residual' : (shape.gates ?? 'store'),
      step: step.head,
      // A product that norms all its rows reads what is not normed yet.
      x: buffers[shape.normed?.rows === 'all' ? 'residual' : reads],
      xStride: this.#strides[reads],
      out: buffers[writes],
      outStride: this.#strides[writes],
      rows: logits ? 'logits' : 'tokens',
      maxDecodeRows: limits.decodeRows ?? limits.sequences,
      sequences: limits.sequences,
      // Rows that want logits are as few as those that decode, so the head needs no kernel for many rows.
      prefill: !logits,
      prompts: logits ? undefined : this.#prompts(reads),
      gated: gated ? this.#prompts(writes) : undefined,
      fusion: shape.normed && this.#fusion(shape, shape.normed),
      choice: choices?.matmul(weights),
    });
    this.matmuls.push(kernel);
    return {
      shape,
      record: (pass, counts) =>
        logits
          ? kernel.record(pass, rowsOf(shape, counts), 0)
          : kernel.record(pass, counts.decodeRows, counts.tokens - counts.decodeRows),
    };
  }

  /** Prompts' rows as products read them, where that is not f32. */
  #prompts(stream: Stream): StoredRows | undefined {
    const { rows, quantized, buffers } = this.#parts;
    const stride = this.#strides[stream];
    if (rows === 'f16') return { rows, buffer: this.#halves(stream), words: stride / 2 };
    return quantized && { rows: 'int8', buffer: buffers.quantized, words: activationWords(stride, quantized) };
  }

  /** Rows of prompts in f16. */
  #halves(stream: Stream): GPUBuffer {
    const { halfNormed, halfAttended, halfGated } = this.#parts.buffers;
    if (stream === 'normed') return halfNormed;
    return stream === 'attended' ? halfAttended : halfGated;
  }

  /** The scale of a norm, and the constants that lie behind it. */
  #vector({ layer }: OperationShape, norm: string): GPUBuffer {
    const { weights } = this.#parts;
    return layer === undefined ? weights.finalNorm : weights.layers[layer].vectors[norm];
  }

  /** What a product for few rows does beside: the norm of what it reads, and the rotation of what it makes. */
  #fusion(shape: OperationShape, { name, rows }: NonNullable<OperationShape['normed']>): Fusion {
    const { buffers, config, step } = this.#parts;
    const wanted = rows === 'all' ? step.logitRows : undefined;
    return {
      norm: { x: buffers.residual, gamma: this.#vector(shape, name), eps: config.rmsNormEps, rows: wanted },
      heads: shape.files ? this.#filed(shape) : undefined,
    };
  }

  /** The norm before a product, which quantises its result where the product wants it so. */
  async #norm(shape: OperationShape): Promise<RecordedOperation> {
    const { buffers, config, rows, quantized, step } = this.#parts;
    const gamma = this.#vector(shape, shape.part);
    if (quantized !== undefined) return this.#quantize(shape, buffers.residual, { gamma, eps: config.rmsNormEps });
    const half = rows === 'f16';
    const kernel = await NormKernel.create(this.#gpu, {
      operation: shape.name,
      step: step.head,
      x: buffers.residual,
      gamma,
      out: half ? buffers.halfNormed : buffers.normed,
      half,
      width: shape.k,
      stride: this.#strides.residual,
      eps: config.rmsNormEps,
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  async #quantize(shape: OperationShape, x: GPUBuffer, norm?: QuantizeSpec['norm']): Promise<RecordedOperation> {
    const { step, buffers, quantized } = this.#parts;
    const kernel = await QuantizeKernel.create(this.#gpu, {
      operation: shape.name,
      step: step.head,
      x,
      width: shape.k,
      stride: paddedColumns(shape.k),
      out: buffers.quantized,
      weights: quantized!,
      norm,
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  #cache({ layer }: OperationShape): LayerCache {
    return this.#parts.cache.layers[layer!];
  }

  /** Where queries, keys and values go. */
  #filed(shape: OperationShape): FiledHeads {
    const { config, cache, step, buffers } = this.#parts;
    const { angles, queries } = buffers;
    const constants = shape.vector && this.#constants(shape, shape.vector);
    return { shape: config, kv: cache.stored, rows: step.rows, angles, queries, ...this.#cache(shape), constants };
  }

  /** What is added to queries, keys and values, or scales them; it lies behind the scale of the norm before. */
  #constants(shape: OperationShape, { norm, constants }: NormVector): HeadConstants {
    return { buffer: this.#vector(shape, norm.name), ...constants, eps: this.#parts.config.rmsNormEps };
  }

  async #rope(shape: OperationShape): Promise<RecordedOperation> {
    const { step, buffers } = this.#parts;
    const kernel = await RopeKernel.create(this.#gpu, {
      operation: shape.name,
      step: step.head,
      qkv: buffers.qkv,
      qkvStride: this.#strides.qkv,
      ...this.#filed(shape),
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  async #attention(shape: OperationShape): Promise<RecordedOperation> {
    const { config, cache, step, buffers, rows, attention, choices } = this.#parts;
    const kernel = await AttentionKernel.create(this.#gpu, {
      operation: shape.name,
      shape: config,
      kv: cache.stored,
      step: step.head,
      rows: step.rows,
      tiles: step.tiles,
      blockTables: step.blockTables,
      queries: buffers.queries,
      ...this.#cache(shape),
      partials: buffers.partials,
      out: buffers.attended,
      halfOut: rows === 'f16' ? buffers.halfAttended : undefined,
      outStride: this.#strides.attended,
      prefill: attention,
      decode: choices?.attention?.decode,
      window: shape.window,
    });
    return {
      shape,
      record: (pass, counts) => kernel.record(pass, counts.decodeRows, counts.splits, counts.tiles),
    };
  }
}

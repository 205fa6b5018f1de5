import type { LayerCache, PagedKv } from '../cache/paged-kv.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import type { Profiler } from '../gpu/profiler.js';
import { watchedPass } from '../gpu/recorder.js';
import { BLOCK_TOKENS, isQuantizedKv, MOST_PARTS, paddedHeadDim } from '../kernels/attention-shape.js';
import {
  AttentionKernel,
  namedAttention,
  prefillAttentionVariants,
  type PrefillAttentionVariant,
} from '../kernels/attention.js';
import { partialBytes, usualSplitTokens } from '../kernels/attention-decode.js';
import type { KernelChoices } from '../kernels/choices.js';
import { EmbedKernel } from '../kernels/embed.js';
import type { FiledHeads, Fusion } from '../kernels/fusion.js';
import { MatmulKernel, type Epilogue } from '../kernels/matmul.js';
import { NormKernel } from '../kernels/norm.js';
import { promptRows, type PromptRows, type StoredRows } from '../kernels/prompt-rows.js';
import { QuantiseKernel, type QuantiseSpec } from '../kernels/quantise.js';
import { RopeKernel } from '../kernels/rope.js';
import { GREEDY_SAMPLING, maskWords, SampleKernel } from '../kernels/sample.js';
import { paddedColumns, type WeightMatrix } from '../kernels/weights.js';
import { activationWords, type ActivationDtype } from '../quantization/activations.js';
import { quantFormat, type QuantFormat } from '../quantization/formats.js';
import type { LlamaConfig } from './config.js';
import { operationShapes, type OperationShape } from './operations.js';
import { ropeTable } from './rope-table.js';
import { StepBuffer, type StepBatch, type StepCounts, type StepLimits } from './step-buffer.js';
import type { ModelWeights } from './weights.js';

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

/** An operation of the list, ready to be recorded. */
interface RecordedOperation {
  readonly shape: OperationShape;
  readonly record: (pass: GPUComputePassEncoder, counts: StepCounts) => void;
}

export interface RecordOptions {
  readonly profiler?: Profiler;
  /** Times the pass as a whole; not together with a profiler. */
  readonly timestampWrites?: GPUComputePassTimestampWrites;
  readonly sample?: boolean;
}

interface Activations {
  readonly residual: GPUBuffer;
  readonly normed: GPUBuffer;
  /** Of prompts, for the next product. */
  readonly quantised: GPUBuffer;
  /** The same in f16. Each has a buffer of its own, whose padding stays zero. */
  readonly halfNormed: GPUBuffer;
  readonly halfAttended: GPUBuffer;
  readonly halfGated: GPUBuffer;
  readonly qkv: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly attended: GPUBuffer;
  readonly gated: GPUBuffer;
  readonly logits: GPUBuffer;
  readonly partials: GPUBuffer;
  readonly slotTokens: GPUBuffer;
  readonly sampled: GPUBuffer;
  readonly state: GPUBuffer;
  readonly masks: GPUBuffer;
  readonly angles: GPUBuffer;
}

function stepLimits(
  gpu: Gpu,
  limits: ModelLimits,
  attention: PrefillAttentionVariant,
  choices: KernelChoices | undefined,
): StepLimits {
  return {
    tokens: limits.stepTokens,
    sequences: limits.sequences,
    logitRows: limits.logitRows,
    blocksPerSlot: Math.ceil(limits.contextLength / 16),
    queriesPerTile: attention.queries,
    maxSplits: MOST_PARTS,
    minSplitTokens: choices?.attention?.splitTokens ?? usualSplitTokens(gpu.capabilities),
  };
}

/**
 * Sizes in bytes of the buffers between operations, by name; also what the memory plan adds up.
 *
 * @param rows what rows of prompts are in on their way into a product
 * @param format of the weights that they are quantised for, if they are
 */
export function activationBytes(
  config: LlamaConfig,
  limits: ModelLimits,
  rows: PromptRows = 'f32',
  format?: QuantFormat,
): Record<keyof Activations, number> {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const { stepTokens, sequences, decodeRows = sequences, logitRows = sequences, contextLength } = limits;
  const row = (width: number, rows = stepTokens): number => rows * paddedColumns(width) * 4;
  const widest = paddedColumns(Math.max(hidden, heads * headDim, intermediate));
  const half = (width: number): number => (rows === 'f16' ? row(width) / 2 : 16);
  // Where prompts have rows of their own, decoding sequences, which come first in a step, are all that is in f32.
  const inFloat = rows === 'f16' ? Math.min(decodeRows, stepTokens) : stepTokens;
  return {
    residual: row(hidden),
    // Decoding sequences are normalised inside their products.
    normed: rows === 'f32' ? row(hidden) : 16,
    quantised: format === undefined ? 16 : stepTokens * 4 * activationWords(widest, format),
    halfNormed: half(hidden),
    halfAttended: half(heads * headDim),
    halfGated: half(intermediate),
    qkv: row((heads + 2 * kvHeads) * headDim),
    queries: stepTokens * heads * paddedHeadDim(headDim) * 4,
    attended: row(heads * headDim, inFloat),
    gated: row(intermediate, inFloat),
    logits: row(vocab, logitRows),
    partials: partialBytes(config, decodeRows, Math.min(MOST_PARTS, Math.ceil(contextLength / 64))),
    slotTokens: sequences * 4,
    sampled: logitRows * 4,
    state: sequences * vocab * 8,
    masks: sequences * maskWords(vocab) * 4,
    angles: contextLength * headDim * 4,
  };
}

/**
 * A Llama whose forward pass is recorded operation by operation, in the order and under the names of
 * `operationShapes`. All buffers and bind groups are made once; a step only uploads its batch and records dispatches.
 */
export class LlamaModel {
  private constructor(
    readonly config: LlamaConfig,
    readonly step: StepBuffer,
    private readonly activations: Activations,
    readonly operations: readonly RecordedOperation[],
    private readonly matmuls: readonly MatmulKernel[],
  ) {}

  /** @param activations what prompts' projections multiply; int8 needs weights of 8 bits */
  static async create(
    gpu: Gpu,
    config: LlamaConfig,
    weights: ModelWeights,
    cache: PagedKv,
    limits: ModelLimits,
    choices?: KernelChoices,
    activations: ActivationDtype = 'f32',
  ): Promise<LlamaModel> {
    // Rows go into every matrix, so they are what all of them can take.
    const kinds = weights.layers
      .flatMap(({ qkv, oProj, gateUp, downProj }) => [qkv, oProj, gateUp, downProj])
      .map((matrix) => promptRows(activations, matrix, gpu.capabilities));
    const rows = kinds.find((kind) => kind === 'f32') ?? kinds[0];
    const variants = prefillAttentionVariants(config, cache.stored, gpu.capabilities, rows === 'f16');
    const attention = namedAttention(variants, choices?.attention?.prefill);
    const step = new StepBuffer(gpu, stepLimits(gpu, limits, attention, choices));
    const quantised = activations === 'int8' ? quantFormat(weights.dtype) : undefined;
    const sizes = activationBytes(config, limits, rows, quantised);
    const buffers = Object.fromEntries(
      Object.entries(sizes).map(([name, bytes]) => [name, gpu.storage(`${name} [${bytes} bytes]`, bytes)]),
    ) as unknown as Activations;
    gpu.queue.writeBuffer(buffers.angles, 0, ropeTable(config, limits.contextLength));
    const builder = new OperationBuilder(
      ...([gpu, config, weights, cache, limits, step, buffers, attention, choices, rows, quantised] as const),
    );
    const shapes = operationShapes(config, { quantizedKv: isQuantizedKv(cache.stored), activations });
    const operations = await Promise.all(shapes.map((shape) => builder.build(shape)));
    return new LlamaModel(config, step, buffers, operations, builder.matmuls);
  }

  /**
   * Uploads a batch and records its forward pass.
   *
   * @param options.profiler books each operation's GPU time under its name
   * @param options.sample false leaves the sampler out, as benchmarks that time the model alone do
   * @returns the counts of the step, valid until the next one
   */
  record(encoder: GPUCommandEncoder, batch: StepBatch, options: RecordOptions = {}): StepCounts {
    const counts = this.step.upload(batch);
    const { profiler, timestampWrites, sample = true } = options;
    if (profiler === undefined) {
      const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
      for (const { shape, record } of this.operations) if (sample || shape.kind !== 'sample') record(pass, counts);
      pass.end();
      return counts;
    }
    for (const { shape, record } of this.operations) {
      if ((!sample && shape.kind === 'sample') || rowsOf(shape, counts) === 0) continue;
      const pass = profiler.begin(encoder, shape.name);
      record(pass, counts);
      pass.end();
    }
    profiler.finish(encoder);
    return counts;
  }

  /** Resolves when the kernels that are compiled in the background, for larger batches, are there too. */
  get ready(): Promise<void> {
    return Promise.allSettled(this.matmuls.map((matmul) => matmul.ready)).then(() => undefined);
  }

  /**
   * Runs every pipeline once on whatever the buffers hold. Some drivers translate a shader at its first launch, which
   * would otherwise be paid for by the first token. Only one layer's operations run, so that it is cheap on any model,
   * but for a trial, whose model has a layer of each kind.
   *
   * @param options.apart each operation is a submission of its own, waited for: for a driver that nobody knows yet
   */
  async warmUp(gpu: Gpu, { apart = false }: { readonly apart?: boolean } = {}): Promise<void> {
    const sequence = { slot: 0, position: 0, tokensBegin: 0, blocks: [0], sampling: GREEDY_SAMPLING };
    // Far enough into a sequence for attention in parts and their reduction; all of it is read from one block.
    const position = this.step.firstSplit;
    const blocks = Array.from({ length: Math.floor(position / BLOCK_TOKENS) + 1 }, () => 0);
    const batches: StepBatch[] = [
      { decode: [], prefill: [{ ...sequence, tokens: [0, 0], tokensEnd: 2 }] },
      { decode: [{ ...sequence, position, blocks, tokens: undefined, tokensEnd: 1 }], prefill: [] },
    ];
    for (const batch of batches) {
      const counts = this.step.upload(batch);
      const own = this.operations.filter(({ shape }) => apart || shape.layer === undefined || shape.layer === 0);
      for (const operations of apart ? own.map((each) => [each]) : [own]) {
        const encoder = gpu.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        const names: string[] = [];
        for (const { record } of operations) record(apart ? watchedPass(pass, names) : pass, counts);
        pass.end();
        const commands = encoder.finish();
        await gpu.pipelines.during(names, async () => {
          gpu.queue.submit([commands]);
          if (apart) await gpu.queue.onSubmittedWorkDone();
        });
      }
    }
    this.step.resetSlot(0);
    await gpu.queue.onSubmittedWorkDone();
  }

  /** [logit rows] u32: the tokens chosen by the last recorded step. */
  get sampled(): GPUBuffer {
    return this.activations.sampled;
  }

  /** [logit rows][logitStride] f32: the logits of the last recorded step. */
  get logits(): GPUBuffer {
    return this.activations.logits;
  }

  get logitStride(): number {
    return paddedColumns(this.config.vocab);
  }

  /** [slots][vocab] of (seen u32, bias f32), read for sequences whose sampling uses it. */
  get samplerState(): GPUBuffer {
    return this.activations.state;
  }

  /** [slots][mask words], read for sequences whose sampling is masked. */
  get tokenMasks(): GPUBuffer {
    return this.activations.masks;
  }

  /** The matmul variants in use for a number of rows of a phase, each once. */
  matmulVariants(rows: number, phase: 'prefill' | 'decode'): string[] {
    const matmuls = phase === 'decode' ? this.matmuls : this.matmuls.filter(({ runsPrompts }) => runsPrompts);
    return [...new Set(matmuls.map((matmul) => matmul.choose(rows, phase).name))];
  }
}

/** Rows an operation has in a step. */
function rowsOf({ rows }: OperationShape, { tokens, decodeRows, logitRows }: StepCounts): number {
  return rows === 'logits' ? logitRows : rows === 'prompts' ? tokens - decodeRows : tokens;
}

/** Makes the kernel of each operation of the list. */
class OperationBuilder {
  readonly matmuls: MatmulKernel[] = [];
  readonly #head: GPUBuffer | BufferRange;
  readonly #hidden: number;

  constructor(
    private readonly gpu: Gpu,
    private readonly config: LlamaConfig,
    private readonly weights: ModelWeights,
    private readonly cache: PagedKv,
    private readonly limits: ModelLimits,
    private readonly step: StepBuffer,
    private readonly activations: Activations,
    private readonly attention: PrefillAttentionVariant,
    private readonly choices: KernelChoices | undefined,
    /** What rows of prompts are in on their way into a product. */
    private readonly rows: PromptRows,
    /** Format of the weights that prompts' activations are quantised for, if they are. */
    private readonly quantised: QuantFormat | undefined,
  ) {
    this.#head = step.head;
    this.#hidden = paddedColumns(config.hidden);
  }

  async build(shape: OperationShape): Promise<RecordedOperation> {
    const { config, step, activations: a, weights } = this;
    const part = shape.layer === undefined ? shape.name : shape.name.slice(shape.name.lastIndexOf('.') + 1);
    const layer = weights.layers[shape.layer ?? 0];
    const cache = this.cache.layers[shape.layer ?? 0];
    switch (part) {
      case 'embed': {
        const kernel = await EmbedKernel.create(this.gpu, {
          operation: shape.name,
          step: this.#head,
          rows: step.rows,
          table: weights.embedding,
          slotTokens: a.slotTokens,
          out: a.residual,
          outStride: this.#hidden,
        });
        return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
      }
      case 'attn_norm':
        return this.#layerNorm(shape, layer.attnNorm);
      case 'qkv': {
        const width = paddedColumns(layer.qkv.rows);
        const heads = isQuantizedKv(this.cache.stored) ? undefined : this.#filed(cache);
        const fusion = { ...this.#normed(layer.attnNorm), heads };
        const prompts = this.#prompts(a.halfNormed, this.#hidden);
        return this.#matmul(shape, layer.qkv, 'store', a.normed, this.#hidden, a.qkv, width, prompts, fusion);
      }
      case 'rope_kv':
        return this.#rope(shape, cache);
      case 'attention':
        return this.#attention(shape, cache);
      case 'attn_quantise':
        return this.#quantise(shape, a.attended);
      case 'o_proj': {
        const width = paddedColumns(config.heads * config.headDim);
        const prompts = this.#prompts(a.halfAttended, width);
        return this.#matmul(shape, layer.oProj, 'residual', a.attended, width, a.residual, this.#hidden, prompts);
      }
      case 'mlp_norm':
        return this.#layerNorm(shape, layer.mlpNorm);
      case 'gate_up': {
        const width = paddedColumns(config.intermediate);
        const fusion = this.#normed(layer.mlpNorm);
        const prompts = this.#prompts(a.halfNormed, this.#hidden);
        return this.#matmul(shape, layer.gateUp, 'silu', a.normed, this.#hidden, a.gated, width, prompts, fusion);
      }
      case 'mlp_quantise':
        return this.#quantise(shape, a.gated);
      case 'down_proj': {
        const width = paddedColumns(config.intermediate);
        const prompts = this.#prompts(a.halfGated, width);
        return this.#matmul(shape, layer.downProj, 'residual', a.gated, width, a.residual, this.#hidden, prompts);
      }
      case 'lm_head': {
        const width = paddedColumns(config.vocab);
        const fusion = this.#normed(weights.finalNorm, step.logitRows);
        return this.#matmul(
          shape,
          weights.lmHead,
          'store',
          a.residual,
          this.#hidden,
          a.logits,
          width,
          undefined,
          fusion,
        );
      }
      case 'sample': {
        const kernel = await SampleKernel.create(this.gpu, {
          operation: shape.name,
          step: this.#head,
          vocab: config.vocab,
          stride: paddedColumns(config.vocab),
          sampling: step.sampling,
          logits: a.logits,
          state: a.state,
          slotTokens: a.slotTokens,
          sampled: a.sampled,
          masks: a.masks,
        });
        return { shape, record: (pass, counts) => kernel.record(pass, counts.logitRows, counts.greedy) };
      }
      default:
        throw new Error(`the operation list names ${shape.name}, which the model does not record`);
    }
  }

  async #matmul(
    shape: OperationShape,
    weights: WeightMatrix,
    epilogue: Epilogue,
    x: GPUBuffer,
    xStride: number,
    out: GPUBuffer,
    outStride: number,
    prompts?: StoredRows,
    fusion?: Fusion,
  ): Promise<RecordedOperation> {
    const logits = shape.rows === 'logits';
    const kernel = await MatmulKernel.create(this.gpu, {
      operation: shape.name,
      weights,
      epilogue,
      step: this.#head,
      x,
      xStride,
      out,
      outStride,
      rows: logits ? 'logits' : 'tokens',
      maxDecodeRows: this.limits.decodeRows ?? this.limits.sequences,
      sequences: this.limits.sequences,
      // Rows that want logits are as few as those that decode, so the head needs no kernel for many rows.
      prefill: !logits,
      prompts,
      gated:
        epilogue === 'silu' && this.rows === 'f16' ? this.#prompts(this.activations.halfGated, outStride) : undefined,
      fusion,
      choice: this.choices?.matmul(weights),
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

  /** Prompts' rows of a width as products read them, where that is not f32. @param halves where they are in f16 */
  #prompts(halves: GPUBuffer, stride: number): StoredRows | undefined {
    const { rows, quantised, activations } = this;
    if (rows === 'f16') return { rows, buffer: halves, words: stride / 2 };
    return quantised && { rows: 'int8', buffer: activations.quantised, words: activationWords(stride, quantised) };
  }

  /** The norm before a product, which quantises its result where the product wants it so. */
  #layerNorm(shape: OperationShape, gamma: GPUBuffer): Promise<RecordedOperation> {
    const { quantised, activations, config } = this;
    if (quantised === undefined) return this.#norm(shape, gamma);
    return this.#quantise(shape, activations.residual, { gamma, eps: config.rmsNormEps });
  }

  async #quantise(shape: OperationShape, x: GPUBuffer, norm?: QuantiseSpec['norm']): Promise<RecordedOperation> {
    const kernel = await QuantiseKernel.create(this.gpu, {
      operation: shape.name,
      step: this.#head,
      x,
      width: shape.k,
      stride: paddedColumns(shape.k),
      out: this.activations.quantised,
      weights: this.quantised!,
      norm,
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  async #norm(shape: OperationShape, gamma: GPUBuffer): Promise<RecordedOperation> {
    const half = this.rows === 'f16';
    const { halfNormed, normed } = this.activations;
    const kernel = await NormKernel.create(this.gpu, {
      operation: shape.name,
      step: this.#head,
      x: this.activations.residual,
      gamma,
      out: half ? halfNormed : normed,
      half,
      width: this.config.hidden,
      stride: this.#hidden,
      eps: this.config.rmsNormEps,
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  /** The norm of activations as part of the product for few rows that reads them. @param rows those taken, if not all */
  #normed(gamma: GPUBuffer, rows?: BufferRange): Fusion {
    return { norm: { x: this.activations.residual, gamma, eps: this.config.rmsNormEps, rows } };
  }

  /** Where queries, keys and values go. */
  #filed(cache: LayerCache): FiledHeads {
    const { angles, queries } = this.activations;
    return { shape: this.config, kv: this.cache.stored, rows: this.step.rows, angles, queries, ...cache };
  }

  async #rope(shape: OperationShape, cache: LayerCache): Promise<RecordedOperation> {
    const kernel = await RopeKernel.create(this.gpu, {
      operation: shape.name,
      step: this.#head,
      qkv: this.activations.qkv,
      qkvStride: paddedColumns(shape.n),
      ...this.#filed(cache),
    });
    return { shape, record: (pass, counts) => kernel.record(pass, rowsOf(shape, counts)) };
  }

  async #attention(shape: OperationShape, cache: LayerCache): Promise<RecordedOperation> {
    const kernel = await AttentionKernel.create(this.gpu, {
      operation: shape.name,
      shape: this.config,
      kv: this.cache.stored,
      step: this.#head,
      rows: this.step.rows,
      tiles: this.step.tiles,
      blockTables: this.step.blockTables,
      queries: this.activations.queries,
      ...cache,
      partials: this.activations.partials,
      out: this.activations.attended,
      halfOut: this.rows === 'f16' ? this.activations.halfAttended : undefined,
      outStride: paddedColumns(this.config.heads * this.config.headDim),
      prefill: this.attention,
      decode: this.choices?.attention?.decode,
    });
    return {
      shape,
      record: (pass, counts) => kernel.record(pass, counts.decodeRows, counts.splits, counts.tiles),
    };
  }
}

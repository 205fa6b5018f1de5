import type { PagedKv } from '../cache/paged-kv.js';
import type { Gpu } from '../gpu/gpu.js';
import type { Profiler } from '../gpu/profiler.js';
import { watchedPass } from '../gpu/recorder.js';
import { BLOCK_TOKENS, isQuantizedKv, MOST_PARTS } from '../kernels/attention/shape.js';
import { prefillAttentionVariants, type PrefillAttentionVariant } from '../kernels/attention/kernel.js';
import { selectVariant } from '../kernels/variant.js';
import { usualSplitTokens } from '../kernels/attention/decode.js';
import type { KernelChoices } from '../kernels/choices.js';
import type { MatmulKernel } from '../kernels/matmul/kernel.js';
import { promptRows } from '../kernels/matmul/prompt-rows.js';
import { GREEDY_SAMPLING } from '../kernels/sample/kernel.js';
import { paddedColumns } from '../kernels/weights.js';
import type { ActivationDtype } from '../quantization/activations.js';
import { quantFormat } from '../quantization/formats.js';
import { activationBytes, type Activations, type ModelLimits } from './activations.js';
import type { ModelConfig } from './config.js';
import { graphOf } from './families/index.js';
import { layersOf } from './graph.js';
import { operationShapes } from './operations.js';
import { OperationBuilder, rowsOf, type RecordedOperation } from './record.js';
import { ropeTable } from './rope-table.js';
import { StepBuffer, type StepBatch, type StepCounts, type StepLimits } from './step-buffer.js';
import type { ModelWeights } from './weights.js';

/** Layers no two of which compute the same, by number. */
function firstOfEachKind(config: ModelConfig): ReadonlySet<number> {
  const kinds = new Map<string, number>();
  layersOf(graphOf(config)).forEach((values, layer) => {
    const kind = JSON.stringify(values);
    if (!kinds.has(kind)) kinds.set(kind, layer);
  });
  return new Set(kinds.values());
}

export interface ForwardPassParts {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly cache: PagedKv;
  readonly limits: ModelLimits;
  readonly choices?: KernelChoices;
  /** What prompts' projections multiply; int8 needs weights of 8 bits. */
  readonly activations?: ActivationDtype;
}

export interface RecordOptions {
  readonly profiler?: Profiler;
  /** Times the pass as a whole; not together with a profiler. */
  readonly timestampWrites?: GPUComputePassTimestampWrites;
  readonly sample?: boolean;
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
    blocksPerSlot: Math.ceil(limits.contextLength / BLOCK_TOKENS),
    queriesPerTile: attention.queries,
    maxSplits: MOST_PARTS,
    minSplitTokens: choices?.attention?.splitTokens ?? usualSplitTokens(gpu.capabilities),
  };
}

/**
 * A model whose forward pass is recorded operation by operation, in the order and under the names of
 * `operationShapes`. All buffers and bind groups are made once; a step only uploads its batch and records dispatches.
 */
export class ForwardPass {
  readonly #activations: Activations;
  readonly #matmuls: readonly MatmulKernel[];

  private constructor(
    readonly config: ModelConfig,
    readonly step: StepBuffer,
    activations: Activations,
    readonly operations: readonly RecordedOperation[],
    matmuls: readonly MatmulKernel[],
  ) {
    this.#activations = activations;
    this.#matmuls = matmuls;
  }

  static async create(gpu: Gpu, parts: ForwardPassParts): Promise<ForwardPass> {
    const { config, weights, cache, limits, choices, activations = 'f32' } = parts;
    // Rows go into every matrix, so they are what all of them can take.
    const kinds = weights.layers
      .flatMap(({ matrices }) => Object.values(matrices))
      .map((matrix) => promptRows(activations, matrix, gpu.capabilities));
    const rows = kinds.find((kind) => kind === 'f32') ?? kinds[0];
    const variants = prefillAttentionVariants(config, cache.stored, gpu.capabilities, rows === 'f16');
    const attention = selectVariant('attention', variants, gpu.capabilities, choices?.attention?.prefill);
    const step = new StepBuffer(gpu, stepLimits(gpu, limits, attention, choices));
    const quantized = activations === 'int8' ? quantFormat(weights.dtype) : undefined;
    const sizes = activationBytes(config, limits, rows, quantized);
    const buffers = Object.fromEntries(
      Object.entries(sizes).map(([name, bytes]) => [name, gpu.storage(`${name} [${bytes} bytes]`, bytes)]),
    ) as unknown as Activations;
    gpu.queue.writeBuffer(buffers.angles, 0, ropeTable(config, limits.contextLength));
    const builder = new OperationBuilder(gpu, { ...parts, step, buffers, attention, rows, quantized });
    const shapes = operationShapes(config, { quantizedKv: isQuantizedKv(cache.stored), activations });
    const operations = await Promise.all(shapes.map((shape) => builder.build(shape)));
    return new ForwardPass(config, step, buffers, operations, builder.matmuls);
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
    return Promise.allSettled(this.#matmuls.map((matmul) => matmul.ready)).then(() => undefined);
  }

  /**
   * Runs every pipeline once on whatever the buffers hold. Some drivers translate a shader at its first launch, which
   * would otherwise be paid for by the first token. Only one layer of each kind runs, so that it is cheap on any model, but
   * for a trial, whose model has no others.
   *
   * @param options.apart each operation is a submission of its own, waited for: for a driver that nobody knows yet
   */
  async warmUp(gpu: Gpu, { apart = false }: { readonly apart?: boolean } = {}): Promise<void> {
    const sequence = { slot: 0, position: 0, tokensBegin: 0, blocks: [0], sampling: GREEDY_SAMPLING };
    // Far enough into a sequence for attention in parts and their reduction; all of it is read from one block.
    const position = this.step.firstSplit;
    const blocks = Array.from({ length: Math.floor(position / BLOCK_TOKENS) + 1 }, () => 0);
    const kinds = firstOfEachKind(this.config);
    const batches: StepBatch[] = [
      { decode: [], prefill: [{ ...sequence, tokens: [0, 0], tokensEnd: 2 }] },
      { decode: [{ ...sequence, position, blocks, tokens: undefined, tokensEnd: 1 }], prefill: [] },
    ];
    for (const batch of batches) {
      const counts = this.step.upload(batch);
      const own = this.operations.filter(({ shape }) => apart || shape.layer === undefined || kinds.has(shape.layer));
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
    return this.#activations.sampled;
  }

  /** [logit rows][logitStride] f32: the logits of the last recorded step. */
  get logits(): GPUBuffer {
    return this.#activations.logits;
  }

  get logitStride(): number {
    return paddedColumns(this.config.vocab);
  }

  /** [rows][hiddenStride] f32: what the last layer left of each row of the last recorded step, not normed yet. */
  get hidden(): GPUBuffer {
    return this.#activations.residual;
  }

  get hiddenStride(): number {
    return paddedColumns(this.config.hidden);
  }

  /** [slots][vocab] of (seen u32, bias f32), read for sequences whose sampling uses it. */
  get samplerState(): GPUBuffer {
    return this.#activations.state;
  }

  /** [slots][mask words], read for sequences whose sampling is masked. */
  get tokenMasks(): GPUBuffer {
    return this.#activations.masks;
  }

  /** The matmul variants in use for a number of rows of a phase, each once. */
  matmulVariants(rows: number, phase: 'prefill' | 'decode'): string[] {
    const matmuls = phase === 'decode' ? this.#matmuls : this.#matmuls.filter(({ runsPrompts }) => runsPrompts);
    return [...new Set(matmuls.map((matmul) => matmul.choose(rows, phase).name))];
  }
}

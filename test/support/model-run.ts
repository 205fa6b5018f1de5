import { allocatePagedKv } from '../../src/cache/paged-kv.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import type { KernelChoices } from '../../src/kernels/choices.js';
import type { SamplingRow } from '../../src/kernels/sample/kernel.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { ModelLimits } from '../../src/model/activations.js';
import { ForwardPass } from '../../src/model/forward-pass.js';
import { loadCheckpoint } from '../../src/model/load-weights.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import type { StepSequence } from '../../src/model/step-buffer.js';
import { allocateWeights } from '../../src/model/weights.js';
import { readFloats, readWords } from './buffers.js';
import { fakeCheckpoint } from './model.js';
import { scattered } from './paged.js';
import { NEUTRAL } from './sampling.js';

/** Tokens to run for one sequence: a chunk of a prompt, or the one that the sampler left in its slot. */
export interface Part {
  readonly slot: number;
  readonly tokens: readonly number[] | 'sampled';
  /** Whether its last row's logits are wanted; they are by default. */
  readonly wants?: boolean;
  /** How many of its last rows' logits are wanted; default 1. */
  readonly samples?: number;
}

export interface StepResult {
  readonly logits: Float64Array[];
  readonly tokens: number[];
}

/** A model on the GPU and a few sequences with scattered blocks, driven step by step as the engine would. */
export class ModelRun {
  readonly #positions: number[];
  readonly #draws: number[];
  readonly #gpu: Gpu;
  readonly #blocks: readonly (readonly number[])[];
  readonly #sampling: Partial<SamplingRow>;

  private constructor(
    gpu: Gpu,
    readonly model: ForwardPass,
    blocks: readonly (readonly number[])[],
    sampling: Partial<SamplingRow>,
  ) {
    this.#gpu = gpu;
    this.#blocks = blocks;
    this.#sampling = sampling;
    this.#positions = blocks.map(() => 0);
    this.#draws = blocks.map(() => 0);
  }

  static async create(
    gpu: Gpu,
    config: ModelConfig,
    weights: Readonly<Record<string, Float64Array>>,
    stored: { dtype: StoredDtype; head?: StoredDtype; kv: KvStored; activations?: ActivationDtype },
    limits: ModelLimits,
    sampling: Partial<SamplingRow> = { temperature: 0 },
    checkpoint = fakeCheckpoint(config, weights),
    choices?: KernelChoices,
  ): Promise<ModelRun> {
    const allocated = allocateWeights(gpu, config, { ...stored, tied: config.tiedEmbeddings });
    await loadCheckpoint({ gpu, config, checkpoint, weights: allocated }, { check: true });
    const placement = scattered(new Array<number>(limits.sequences).fill(limits.contextLength));
    const cache = allocatePagedKv(gpu, config, stored.kv, config.layers, placement.total);
    const model = await ForwardPass.create(gpu, {
      ...{ config, weights: allocated, cache, limits, choices },
      activations: stored.activations,
    });
    await model.ready;
    return new ModelRun(gpu, model, placement.blocks, sampling);
  }

  /** Runs one step: decode parts first, as a step has them. A part of one token counts as decode if `decode` has it. */
  async step(decode: readonly Part[], prefill: readonly Part[] = []): Promise<StepResult> {
    const encoder = this.#gpu.device.createCommandEncoder();
    const { logitRows: rows } = this.model.record(encoder, {
      decode: decode.map((part) => this.#sequence(part)),
      prefill: prefill.map((part) => this.#sequence(part)),
    });
    this.#gpu.queue.submit([encoder.finish()]);
    const { logitStride, config } = this.model;
    const logits = await readFloats(this.#gpu, this.model.logits);
    const tokens = await readWords(this.#gpu, this.model.sampled);
    return {
      logits: Array.from({ length: rows }, (_, row) =>
        Float64Array.from(logits.subarray(row * logitStride, row * logitStride + config.vocab)),
      ),
      tokens: [...tokens.subarray(0, rows)],
    };
  }

  /** Lets a slot begin anew. */
  restart(slot: number): void {
    this.#positions[slot] = 0;
    this.model.step.resetSlot(slot);
  }

  #sequence({ slot, tokens, wants = true, samples = 1 }: Part): StepSequence {
    const position = this.#positions[slot];
    const count = tokens === 'sampled' ? 1 : tokens.length;
    this.#positions[slot] += count;
    const draw = wants ? this.#draws[slot]++ : 0;
    return {
      slot,
      position,
      tokens: tokens === 'sampled' ? undefined : tokens,
      tokensBegin: 0,
      tokensEnd: count,
      blocks: this.#blocks[slot],
      sampling: wants ? { ...NEUTRAL, slot, draw, ...this.#sampling } : undefined,
      samples,
    };
  }
}

import type { Gpu } from '../gpu/gpu.js';

/** What one step brings back to the host. */
export interface StepResult {
  /** [rows] chosen tokens. */
  readonly tokens: Uint32Array;
  /** [rows][stride] logits, when they were asked for. */
  readonly logits: Float32Array | undefined;
}

interface Stage {
  readonly tokens: GPUBuffer;
  logits: GPUBuffer | undefined;
}

const MAP_READ = { label: 'readback', usage: 0x0001 /* MAP_READ */ | 0x0008 /* COPY_DST */ };

/**
 * Brings tokens back without making the next step wait: each step copies into a buffer of a small ring, which is
 * mapped while later steps run.
 */
export class ReadbackRing {
  readonly #free: Stage[] = [];
  readonly #gpu: Gpu;
  readonly #rows: number;
  readonly #logitStride: number;

  /** @param depth steps that may be under way at once */
  constructor(gpu: Gpu, rows: number, logitStride: number, depth: number) {
    this.#gpu = gpu;
    this.#rows = rows;
    this.#logitStride = logitStride;
    for (let i = 0; i < depth; i++) {
      this.#free.push({ tokens: gpu.buffer(MAP_READ.label, rows * 4, MAP_READ.usage), logits: undefined });
    }
  }

  /**
   * Records the copies of a step. Call `read` after submitting.
   *
   * @returns a function that resolves to the results once the GPU is done; call it exactly once
   */
  record(
    encoder: GPUCommandEncoder,
    rows: number,
    sampled: GPUBuffer,
    logits: GPUBuffer | undefined,
  ): () => Promise<StepResult> {
    const stage = this.#free.pop();
    if (stage === undefined) throw new Error('more steps are under way than the readback ring holds');
    encoder.copyBufferToBuffer(sampled, 0, stage.tokens, 0, rows * 4);
    const logitBytes = rows * this.#logitStride * 4;
    if (logits !== undefined) {
      // Rare and large, so made on first use.
      stage.logits ??= this.#gpu.buffer('readback logits', this.#rows * this.#logitStride * 4, MAP_READ.usage);
      encoder.copyBufferToBuffer(logits, 0, stage.logits, 0, logitBytes);
    }
    return async () => {
      const { tokens, logits: mapped } = stage;
      const wanted = logits === undefined ? undefined : mapped;
      await Promise.all([tokens.mapAsync(1 /* READ */, 0, rows * 4), wanted?.mapAsync(1 /* READ */, 0, logitBytes)]);
      const result: StepResult = {
        tokens: new Uint32Array(tokens.getMappedRange(0, rows * 4).slice(0)),
        logits: wanted === undefined ? undefined : new Float32Array(wanted.getMappedRange(0, logitBytes).slice(0)),
      };
      tokens.unmap();
      wanted?.unmap();
      this.#free.push(stage);
      return result;
    };
  }
}

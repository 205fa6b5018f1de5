import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import type { ForwardPass } from '../model/forward-pass.js';
import type { Pooling } from '../model/pooling.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { inSlices } from '../tokenizer/slices.js';
import { PooledRows, type FinalNorm } from './pooled-rows.js';
import type { ChunkRows, PromptRun } from './prompt-runs.js';

const MAP_READ = 0x0001 /* MAP_READ */ | 0x0008; /* COPY_DST */

/** Where rows come from, and what becomes of them. */
export interface EmbedWays {
  readonly gpu: Gpu;
  readonly pass: Pick<ForwardPass, 'hidden' | 'hiddenStride'>;
  readonly norm: FinalNorm;
  readonly pooling: Pooling;
  /** Told how many tokens more have been submitted; those that are computed again do not count again. */
  readonly submitted: (tokens: number) => void;
}

/**
 * A prompt that is computed for its hidden states. The rows that are wanted are copied out in their step's own
 * submission, normed and added up on the host while later steps run.
 */
export class EmbedRun implements PromptRun {
  /** Tokens whose steps have been submitted. */
  #next = 0;
  #ended = false;
  readonly #pooled: PooledRows;
  /** Rows are added in their order, whenever they come. */
  #adding: Promise<void> = Promise.resolve();
  #resolve!: (pooled: Float64Array) => void;
  #reject!: (error: unknown) => void;
  /** What was pooled; rejects where the run fails. */
  readonly vector = new Promise<Float64Array>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  readonly #ways: EmbedWays;

  constructor(
    readonly sequence: ScheduledSequence,
    readonly promptIds: readonly number[],
    ways: EmbedWays,
  ) {
    this.#ways = ways;
    this.#pooled = new PooledRows(ways.norm);
    this.vector.catch(() => undefined); // awaited by whoever asked for all of a list
  }

  get complete(): boolean {
    return this.#ended || this.#next === this.promptIds.length;
  }

  /** Rows are there in their step alone. */
  owes(): boolean {
    return false;
  }

  record(encoder: GPUCommandEncoder, _computed: number, rows?: ChunkRows): () => void {
    if (this.#ended || rows === undefined) return () => undefined;
    const { gpu, pass, submitted } = this.#ways;
    // One that lost its blocks begins anew, and some of its rows come again.
    const before = this.#next;
    this.#next = Math.max(before, rows.end);
    const first = Math.max(rows.begin, before, this.#firstWanted);
    const count = rows.end - first;
    const told = (): void => submitted(this.#next - before);
    if (count <= 0) return told;
    const bytes = count * pass.hiddenStride * 4;
    const buffer = gpu.buffer('hidden states', bytes, MAP_READ);
    const from = (rows.row + first - rows.begin) * pass.hiddenStride * 4;
    encoder.copyBufferToBuffer(pass.hidden, from, buffer, 0, bytes);
    return () => {
      const mapped = buffer.mapAsync(1 /* READ */, 0, bytes);
      mapped.catch(() => undefined); // awaited when its turn comes
      this.#adding = this.#adding.then(() => this.#add(buffer, mapped, count));
      told();
    };
  }

  fail(error: unknown): void {
    this.#ended = true;
    this.#reject(error);
  }

  get #firstWanted(): number {
    return this.#ways.pooling === 'last' ? this.promptIds.length - 1 : 0;
  }

  async #add(buffer: GPUBuffer, mapped: Promise<unknown>, count: number): Promise<void> {
    const { gpu, pass } = this.#ways;
    try {
      await mapped;
      if (this.#ended) return;
      const numbers = new Float32Array(buffer.getMappedRange(0, count * pass.hiddenStride * 4));
      await inSlices(this.#pooled.add(numbers, count, pass.hiddenStride));
      if (this.#firstWanted + this.#pooled.rows === this.promptIds.length) this.#finish();
    } catch (error) {
      this.fail(error);
    } finally {
      gpu.free(buffer);
    }
  }

  #finish(): void {
    const pooled = this.#pooled.mean();
    if (pooled.every(Number.isFinite)) this.#resolve(pooled);
    else
      this.fail(new RidgepointError('device', 'the model’s hidden states are not numbers; its weights may be damaged'));
  }
}

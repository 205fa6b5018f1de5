import type { Gpu } from '../gpu/gpu.js';
import type { ForwardPass } from '../model/forward-pass.js';
import type { Pooling } from '../model/pooling.js';
import type { ModelWeights } from '../model/weights.js';
import { ScheduledSequence } from '../scheduler/sequence.js';
import { EmbedRun } from './embed-run.js';
import type { FinalNorm } from './pooled-rows.js';
import type { StepLoop } from './step-loop.js';

/** Chunks' worth of rows that may be on their way from the GPU, so that a host that is late bounds the memory. */
const CHUNKS_BEHIND = 4;

export interface EmbedderParts {
  readonly gpu: Gpu;
  readonly pass: ForwardPass;
  readonly weights: Pick<ModelWeights, 'finalNorm'>;
  readonly loop: StepLoop;
  /** Most prompt tokens in a step. */
  readonly chunk: number;
}

/** Hands lists of prompts to the step loop, for their hidden states. */
export class Embedder {
  #norm: Promise<FinalNorm> | undefined;
  readonly #parts: EmbedderParts;

  constructor(parts: EmbedderParts) {
    this.#parts = parts;
  }

  /**
   * Pools the hidden states of prompts. No more of a list than fills a step waits to be computed at a time (one prompt
   * at least), so that who comes later waits for a step or a prompt and not for all of a list.
   *
   * @param prompts each of at least one token, none longer than the context
   * @throws what the device fails with; the signal's reason
   */
  async pool(
    prompts: readonly (readonly number[])[],
    { pooling, priority, signal, nextId, finish }: PoolOptions,
  ): Promise<Float32Array[]> {
    const { loop, chunk, gpu, pass } = this.#parts;
    const norm = await (this.#norm ??= this.#readNorm());
    signal?.throwIfAborted();
    if (prompts.length === 0) return [];
    const vectors: Float32Array[] = [];
    let begun = 0;
    const open = new Set<EmbedRun>();
    let waiting = 0;
    let unfinished = 0;
    let over = false;
    const stop = (error: unknown): void => {
      over = true;
      for (const run of open) {
        run.fail(error);
        loop.copyOut(run);
      }
    };
    const aborted = (): void => stop(signal!.reason);
    try {
      return await new Promise<Float32Array[]>((resolve, reject) => {
        const start = (ids: readonly number[]): void => {
          const sequence = new ScheduledSequence(nextId(), ids.length, 0, { priority });
          const submitted = (tokens: number): void => {
            waiting -= tokens;
            feed();
          };
          const run = new EmbedRun(sequence, ids, { gpu, pass, norm, pooling, submitted });
          const at = begun++;
          open.add(run);
          waiting += ids.length;
          unfinished += ids.length;
          run.vector.then((pooled) => {
            open.delete(run);
            unfinished -= ids.length;
            vectors[at] = finish(pooled);
            if (open.size === 0 && begun === prompts.length) resolve(vectors);
            else feed();
          }, reject);
          loop.compute(run);
        };
        const fits = (tokens: number, more: number, most: number): boolean => tokens === 0 || tokens + more <= most;
        const feed = (): void => {
          while (begun < prompts.length && !over) {
            const next = prompts[begun];
            if (!fits(waiting, next.length, chunk) || !fits(unfinished, next.length, CHUNKS_BEHIND * chunk)) return;
            start(next);
          }
        };
        signal?.addEventListener('abort', aborted, { once: true });
        feed();
      });
    } catch (error) {
      stop(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', aborted);
    }
  }

  /** The scale as the GPU has it. */
  async #readNorm(): Promise<FinalNorm> {
    const { gpu, weights, pass } = this.#parts;
    const { hidden, rmsNormEps: eps } = pass.config;
    return { scale: new Float32Array(await gpu.read(weights.finalNorm, 0, hidden * 4)), eps };
  }
}

export interface PoolOptions {
  readonly pooling: Pooling;
  /** As of a generation. */
  readonly priority?: number;
  readonly signal?: AbortSignal;
  /** Gives each prompt its number among the engine's sequences. */
  readonly nextId: () => number;
  /** Makes what is handed out of what was pooled, one at a time, since a list may be long. */
  readonly finish: (pooled: Float64Array) => Float32Array;
}

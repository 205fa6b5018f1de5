import type { Clock } from '../../../bench/serve/load/clock.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import type { ServedEngine } from '../../../bench/serve/targets/engine-target.js';
import type { FinishReason, GenerateOptions, GenerationChunk, Prompt } from '../../../src/engine/api.js';
import { CONFIG } from '../made-up.js';

export interface Pace {
  /** Milliseconds of a step that decodes, however many sequences; added to those of prompt tokens in it. */
  readonly decodeMs: number;
  readonly promptTokenMs: number;
  readonly chunk: number;
  readonly sequences: number;
  readonly contextLength: number;
  /** Blocks that aborted requests never give back: a bug to be found. */
  readonly leak: boolean;
  /** Request, counted from 0, that fails. */
  readonly failing: number;
}

const PACE: Pace = {
  decodeMs: 10,
  promptTokenMs: 1,
  chunk: 100,
  sequences: 8,
  contextLength: 256,
  leak: false,
  failing: -1,
};
const BLOCKS = 1000;

interface Running {
  readonly maxTokens: number;
  promptLeft: number;
  readonly chunks: GenerationChunk[];
  tokens: number;
  wake: () => void;
  finish: FinishReason | undefined;
  error: Error | undefined;
}

/** An engine that computes nothing, and whose steps take exactly as long as its pace says. */
export class FakeEngine {
  readonly #waiting: Running[] = [];
  readonly #running: Running[] = [];
  #looping = false;
  #leaked = 0;
  disposed = false;
  readonly prompts: Prompt[] = [];
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #policy: PolicyName;

  constructor(clock: Clock, pace: Partial<Pace> = {}, policy: PolicyName = 'prefill-first') {
    this.#clock = clock;
    this.#policy = policy;
    this.#pace = { ...PACE, ...pace };
  }

  /** As the harness takes it. */
  get served(): ServedEngine {
    return {
      config: { ...CONFIG, maxPositions: this.#pace.contextLength },
      info: { contextLength: this.#pace.contextLength } as ServedEngine['info'],
      generate: (prompt, options) => this.#generate(prompt, options),
      dispose: () => {
        this.disposed = true;
        return Promise.resolve();
      },
      stats: () => ({
        kvBlocks: BLOCKS,
        kvBlocksFree: BLOCKS - this.#leaked - this.#running.length,
        preemptions: 0,
        prefixQueriedTokens: 0,
        prefixHitTokens: 0,
      }),
    };
  }

  #generate(prompt: Prompt, { maxTokens = 1, signal }: GenerateOptions = {}): ReturnType<ServedEngine['generate']> {
    const request: Running = {
      maxTokens,
      promptLeft: prompt.length,
      chunks: [],
      tokens: 0,
      wake: () => undefined,
      finish: undefined,
      error: undefined,
    };
    if (this.prompts.length === this.#pace.failing) request.error = new Error('the device was lost');
    this.prompts.push(prompt);
    const abort = (): void => {
      if (request.finish !== undefined) return;
      this.#end(request, 'abort');
      if (this.#pace.leak) this.#leaked++;
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    if (request.error === undefined && request.finish === undefined) {
      this.#waiting.push(request);
      if (!this.#looping) void this.#loop();
    }
    async function* chunks() {
      for (let next = 0; ;) {
        if (request.error !== undefined) throw request.error;
        if (next < request.chunks.length) yield request.chunks[next++];
        else if (request.finish !== undefined) return;
        else await new Promise<void>((resolve) => (request.wake = resolve));
      }
    }
    // The harness asks for the result when it has all chunks.
    const result = {
      then: (resolve: (value: unknown) => void) =>
        resolve({ finishReason: request.finish, ids: request.chunks.flatMap(({ ids }) => ids) }),
    };
    return { [Symbol.asyncIterator]: chunks, result } as never;
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    await Promise.resolve();
    for (;;) {
      while (this.#waiting.length > 0 && this.#running.length < this.#pace.sequences) {
        this.#running.push(this.#waiting.shift()!);
      }
      if (this.#running.length === 0) break;
      const prefilling = this.#running.filter(({ promptLeft }) => promptLeft > 0);
      const whole = this.#policy === 'prefill-first';
      const decoding = whole && prefilling.length > 0 ? [] : this.#running.filter(({ promptLeft }) => promptLeft === 0);
      let budget = whole ? Infinity : this.#pace.chunk;
      let computed = 0;
      const begun: Running[] = [];
      for (const request of prefilling) {
        const part = Math.min(request.promptLeft, budget);
        budget -= part;
        computed += part;
        request.promptLeft -= part;
        if (request.promptLeft === 0) begun.push(request);
      }
      await this.#clock.sleep(computed * this.#pace.promptTokenMs + (decoding.length > 0 ? this.#pace.decodeMs : 0));
      for (const request of [...decoding, ...begun]) this.#token(request);
    }
    this.#looping = false;
  }

  #token(request: Running): void {
    if (request.finish !== undefined) return;
    request.chunks.push({ text: '', ids: [request.tokens++] });
    if (request.tokens === request.maxTokens) this.#end(request, 'length');
    request.wake();
  }

  #end(request: Running, reason: FinishReason): void {
    request.finish = reason;
    for (const list of [this.#waiting, this.#running]) {
      const at = list.indexOf(request);
      if (at >= 0) list.splice(at, 1);
    }
    request.wake();
  }
}

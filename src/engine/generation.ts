import { RidgepointError } from '../errors.js';
import type { TextOutput } from '../tokenizer/text-output.js';
import type {
  FinishReason,
  GenerateOptions,
  Generation,
  GenerationChunk,
  GenerationResult,
  TokenLogprob,
} from './api.js';
import type { ResolvedSampling } from './sampling.js';
import type { ScheduledSequence } from './sequence.js';

/**
 * One request on its way: collects the tokens the engine delivers, decides when it ends, and hands out chunks. It makes
 * progress whether or not anybody iterates it.
 */
export class RunningGeneration implements Generation {
  readonly result: Promise<GenerationResult>;
  readonly ids: number[] = [];
  /** The prompt and what has been generated so far. */
  readonly tokens: number[];
  /** Tokens guessed to come next. */
  guesses: readonly number[] = [];
  /** The tokens that may come next, where a constraint says so. */
  mask: Uint32Array | undefined;
  readonly #chunks: GenerationChunk[] = [];
  readonly #waiters: (() => void)[] = [];
  #settle!: { resolve: (result: GenerationResult) => void; reject: (error: unknown) => void };
  #done = false;
  #error: unknown;
  #text = '';
  #first = 0;

  constructor(
    readonly sequence: ScheduledSequence,
    readonly promptIds: readonly number[],
    readonly sampling: ResolvedSampling,
    readonly options: GenerateOptions,
    private readonly eosIds: readonly number[],
    /** Why it ends when it has `sequence.maxTokens` tokens. */
    private readonly limitReason: FinishReason,
    /** Turns tokens into text; absent for a model without a tokenizer. */
    private readonly output: TextOutput | undefined,
    /** When the request came, in milliseconds of `performance.now()`. */
    private readonly started: number,
    /** Ends the generation in the engine; called when a consumer stops iterating early. */
    private readonly cancel: (generation: RunningGeneration) => void,
  ) {
    this.tokens = [...promptIds];
    if (options.constraint !== undefined) this.#ask();
    this.result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever only iterates sees the error there; the promise must not then count as unhandled.
    this.result.catch(() => undefined);
  }

  get done(): boolean {
    return this.#done;
  }

  /** Takes the next token. Afterwards `done` tells whether the sequence has ended. */
  push(id: number, logprobs?: { token: TokenLogprob; top: TokenLogprob[] }): void {
    if (this.#done) return;
    if (this.ids.length === 0) this.#first = performance.now();
    this.ids.push(id);
    this.tokens.push(id);
    const ended = !this.options.ignoreEos && this.eosIds.includes(id);
    const halted = this.options.stopIds?.includes(id) ?? false;
    let text = '';
    let stopped = false;
    if (this.output !== undefined && !ended && !halted) {
      const piece = this.output.push(id);
      text = piece.text;
      stopped = piece.stop !== undefined;
    }
    this.#emit({ text, ids: [id], ...(logprobs === undefined ? {} : { logprobs: [logprobs] }) });
    if (ended) this.finish('eos');
    else if (halted) this.finish('stop');
    else if (stopped) this.#end('stop');
    else if (this.ids.length === this.sequence.maxTokens) this.finish(this.limitReason);
  }

  /** Tells the constraint of the last token and asks it for the next mask. @throws whatever the constraint throws */
  constrain(): void {
    this.options.constraint!.accept(this.ids[this.ids.length - 1]);
    this.#ask();
  }

  #ask(): void {
    const mask = this.options.constraint!.allowed();
    if (mask.every((word) => word === 0)) {
      throw new RidgepointError(
        'usage',
        `the constraint allows no token after ${this.ids.length} generated ones; it must allow an end-of-sequence id where the text may end`,
      );
    }
    this.mask = mask;
  }

  /** Ends it, with whatever text was held back. */
  finish(reason: FinishReason): void {
    if (this.#done) return;
    if (this.output !== undefined) {
      const rest = this.output.end();
      if (rest !== '') this.#emit({ text: rest, ids: [] });
    }
    this.#end(reason);
  }

  fail(error: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#error = error;
    this.#settle.reject(error);
    this.#wake();
  }

  #end(finishReason: FinishReason): void {
    this.#done = true;
    const now = performance.now();
    const count = this.ids.length;
    this.#settle.resolve({
      text: this.#text,
      promptIds: this.promptIds,
      ids: this.ids,
      cachedTokens: this.sequence.cachedTokens,
      finishReason,
      seed: this.sampling.seed,
      ttftMs: count > 0 ? this.#first - this.started : now - this.started,
      tpotMs: count > 1 ? (now - this.#first) / (count - 1) : undefined,
      e2eMs: now - this.started,
    });
    this.#wake();
  }

  #emit(chunk: GenerationChunk): void {
    this.#text += chunk.text;
    this.#chunks.push(chunk);
    this.#wake();
  }

  /** Yields chunks as they come. Leaving the loop early aborts the generation. */
  async *[Symbol.asyncIterator](): AsyncIterator<GenerationChunk> {
    try {
      for (let next = 0; ;) {
        if (next < this.#chunks.length) yield this.#chunks[next++];
        else if (this.#error !== undefined) throw this.#error as Error;
        else if (this.#done) return;
        else await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    } finally {
      if (!this.#done) this.cancel(this);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

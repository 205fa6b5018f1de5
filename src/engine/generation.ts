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
import type { ResolvedSampling } from './options/sampling.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';

/** What a generation is made of. */
export interface GenerationParts {
  readonly sequence: ScheduledSequence;
  readonly promptIds: readonly number[];
  readonly sampling: ResolvedSampling;
  readonly options: GenerateOptions;
  readonly eosIds: readonly number[];
  /** Why it ends when it has `sequence.maxTokens` tokens. */
  readonly limitReason: FinishReason;
  /** Turns tokens into text; absent for a model without a tokenizer. */
  readonly output: TextOutput | undefined;
  /** When the request came, in milliseconds of `performance.now()`. */
  readonly started: number;
  /** Ends the generation in the engine; called when a consumer stops iterating early. */
  readonly cancel: (generation: RunningGeneration) => void;
}

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
  /** When its first new token came. */
  #first: number | undefined;
  /** Tokens that were there before. */
  #resumed = 0;
  readonly #parts: GenerationParts;

  constructor(parts: GenerationParts) {
    this.#parts = parts;
    this.tokens = [...parts.promptIds];
    this.result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever only iterates sees the error there; the promise must not then count as unhandled.
    this.result.catch(() => undefined);
    this.#resume(parts.options.resume ?? []);
    if (parts.options.constraint !== undefined && !this.#done) this.#ask();
  }

  get sequence(): ScheduledSequence {
    return this.#parts.sequence;
  }

  get promptIds(): readonly number[] {
    return this.#parts.promptIds;
  }

  get sampling(): ResolvedSampling {
    return this.#parts.sampling;
  }

  get options(): GenerateOptions {
    return this.#parts.options;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Takes the next token. Afterwards `done` tells whether the sequence has ended. */
  push(id: number, logprobs?: { token: TokenLogprob; top: TokenLogprob[] }): void {
    if (this.#done) return;
    this.#first ??= performance.now();
    const { text, end } = this.#take(id);
    this.#emit({ text, ids: [id], ...(logprobs === undefined ? {} : { logprobs: [logprobs] }) });
    end?.();
  }

  /** Takes ids that somebody has had already. */
  #resume(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#done) break;
      const { text, end } = this.#take(id);
      this.#text += text;
      const place = this.#resumed++;
      end?.();
      if (this.#done) break;
      try {
        this.options.constraint?.accept(id);
      } catch (cause) {
        const message = `resume has token ${id} at place ${place}, which the constraint does not allow there`;
        throw new RidgepointError('usage', message, { cause });
      }
    }
  }

  /** @returns the text that a token completes, and how it ends the generation where it does */
  #take(id: number): { text: string; end?: () => void } {
    this.ids.push(id);
    this.tokens.push(id);
    const ended = !this.options.ignoreEos && this.#parts.eosIds.includes(id);
    const halted = this.options.stopIds?.includes(id) ?? false;
    let text = '';
    let stopped = false;
    if (this.#parts.output !== undefined && !ended && !halted) {
      const piece = this.#parts.output.push(id);
      text = piece.text;
      stopped = piece.stop !== undefined;
    }
    if (ended) return { text, end: () => this.finish('eos') };
    if (halted) return { text, end: () => this.finish('stop') };
    if (stopped) return { text, end: () => this.#end('stop') };
    if (this.ids.length < this.sequence.maxTokens) return { text };
    return { text, end: () => this.finish(this.#parts.limitReason) };
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
    if (this.#parts.output !== undefined) {
      const rest = this.#parts.output.end();
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
    const count = this.ids.length - this.#resumed;
    const first = this.#first ?? now;
    this.#settle.resolve({
      text: this.#text,
      promptIds: this.promptIds,
      ids: this.ids,
      cachedTokens: this.sequence.cachedTokens,
      finishReason,
      seed: this.sampling.seed,
      ttftMs: first - this.#parts.started,
      tpotMs: count > 1 ? (now - first) / (count - 1) : undefined,
      e2eMs: now - this.#parts.started,
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
      if (!this.#done) this.#parts.cancel(this);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

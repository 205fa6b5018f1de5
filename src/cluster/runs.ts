import type { Generation } from '../engine/api.js';
import type { CoreEngine } from '../engine/engine.js';
import { RidgepointError } from '../errors.js';
import { ConstraintMaker } from '../grammar/constraint-maker.js';
import type { Address } from './address.js';
import { generateFrom, type Brought, type KvSource } from './bring.js';
import { TransferCounts } from './counts.js';
import {
  runKeyOf,
  type RunBegin,
  type RunFailure,
  type RunKey,
  type RunRequest,
  type RunToken,
  type RunTokens,
} from './run-request.js';

/** What is run for somebody who is not heard of for so long ends. */
export const UNHEARD_MS = 5000;

/** Whoever asked for a run, as long as there is a connection. */
export interface RunReader {
  /** @param index place of the first token in the answer, what was resumed included */
  tokens(key: RunKey, index: number, tokens: RunTokens): void;
  /** @param count ids of the whole answer */
  end(key: RunKey, count: number): void;
  fail(key: RunKey, failure: RunFailure): void;
}

interface Run {
  readonly request: RunRequest;
  readonly tokens: RunToken[];
  readonly stop: AbortController;
  reader: RunReader | undefined;
  brought: Brought | undefined;
  begin: RunBegin | undefined;
  state: 'running' | 'ended' | RunFailure;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export interface RunsOptions {
  /** Who computes prompts at an address. */
  readonly source: (address: Address) => KvSource;
  /** Requests that may run and wait together; default any number. */
  readonly most?: number;
  /** Told when the engine has failed, so that nothing can be run any more. */
  readonly onBroken?: (failure: Error) => void;
}

/**
 * Requests that a worker runs for routers, by ids. A run goes on while its router is away for a moment, and what it has
 * made is kept until the router has all of it: one that comes again asks from where it is.
 */
export class Runs {
  readonly transfers = new TransferCounts();
  readonly #engine: CoreEngine;
  readonly #options: RunsOptions;
  readonly #runs = new Map<string, Run>();
  readonly #whenEmpty: (() => void)[] = [];
  #draining = false;
  readonly #constraints: ConstraintMaker | undefined;

  constructor(engine: CoreEngine, options: RunsOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#constraints = engine.vocabulary && new ConstraintMaker(engine.vocabulary);
  }

  /** Runs that somebody has not yet let go of. */
  get size(): number {
    return this.#runs.size;
  }

  /**
   * Runs a request, or goes on telling of one that runs already.
   *
   * @param from ids of the answer that the reader has
   */
  run(request: RunRequest, from: number, reader: RunReader): void {
    const key = runKeyOf(request);
    const known = this.#runs.get(key);
    if (known !== undefined) {
      clearTimeout(known.timer);
      known.reader = reader;
      this.#tell(known, from, true);
      return;
    }
    // Whoever asks again has given the attempts before up.
    for (const other of this.#runs.values()) if (other.request.id === request.id) this.release(other.request);
    if (this.#draining || this.#runs.size >= (this.#options.most ?? Infinity)) {
      reader.fail(request, { reason: 'the worker has no room for another request', busy: true });
      return;
    }
    const run: Run = {
      ...{ request, tokens: [], reader, brought: undefined, begin: undefined, state: 'running', timer: undefined },
      stop: new AbortController(),
    };
    this.#runs.set(key, run);
    void this.#read(run);
  }

  /** Ends a run, or forgets one that has ended: its reader needs no more of it. */
  release(key: RunKey): void {
    const run = this.#runs.get(runKeyOf(key));
    if (run === undefined) return;
    this.#runs.delete(runKeyOf(key));
    clearTimeout(run.timer);
    run.reader = undefined;
    run.stop.abort();
    if (this.#runs.size === 0) for (const tell of this.#whenEmpty.splice(0)) tell();
  }

  /** A reader has gone, and may come again. @param ms how long its runs go on */
  detach(reader: RunReader, ms = UNHEARD_MS): void {
    for (const run of this.#runs.values()) {
      if (run.reader !== reader) continue;
      run.reader = undefined;
      run.timer = setTimeout(() => this.release(run.request), ms);
    }
  }

  /** Takes nothing new, and resolves when nothing runs any more and all that was made has been taken. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.#runs.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Ends all. */
  close(): void {
    for (const { request } of [...this.#runs.values()]) this.release(request);
  }

  async #read(run: Run): Promise<void> {
    try {
      const generation = this.#start(run);
      for await (const { ids, logprobs } of generation) {
        if (ids.length === 0) continue;
        run.begin ??= { cachedTokens: generation.sequence?.cachedTokens ?? 0, kv: run.brought };
        const before = run.tokens.length;
        run.tokens.push(...ids.map((id, i) => ({ id, ...(logprobs === undefined ? {} : { logprobs: logprobs[i] }) })));
        this.#tell(run, run.request.resume.length + before, before === 0);
      }
      const { finishReason } = await generation.result;
      if (finishReason !== 'abort') run.state = 'ended';
      else if (!run.stop.signal.aborted) run.state = { reason: 'the worker is ending' };
    } catch (error) {
      run.state = failureOf(error);
    }
    const { failure } = this.#engine;
    if (failure !== undefined) {
      run.state = { reason: failure.message };
      this.#options.onBroken?.(failure);
    }
    this.#tellEnd(run);
  }

  #start(run: Run): Generation {
    const { prompt, resume, options, constraint, prefill } = run.request;
    if (constraint !== undefined && this.#constraints === undefined) {
      throw new RidgepointError('usage', 'a form of text needs a tokenizer, which this worker lacks');
    }
    const given = {
      ...options,
      resume,
      signal: run.stop.signal,
      constraint: constraint && this.#constraints!.make(constraint),
    };
    if (prefill === undefined) return this.#engine.generate(prompt, given);
    const onBrought = (brought: Brought): void => void (run.brought = brought);
    const source = this.#options.source(prefill);
    return generateFrom(this.#engine, prompt, given, { source, counts: this.transfers, onBrought });
  }

  #tell(run: Run, from: number, isFirst: boolean): void {
    const { request, reader, tokens } = run;
    const at = from - request.resume.length;
    if (reader !== undefined && at >= 0 && at < tokens.length) {
      reader.tokens(request, from, { tokens: tokens.slice(at), ...(isFirst ? { begin: run.begin } : {}) });
    }
    if (run.state !== 'running') this.#tellEnd(run);
  }

  #tellEnd(run: Run): void {
    const { request, reader, tokens, state } = run;
    if (reader === undefined || state === 'running') return;
    if (state === 'ended') return reader.end(request, request.resume.length + tokens.length);
    this.release(request);
    reader.fail(request, state);
  }
}

function failureOf(error: unknown): RunFailure {
  const reason = error instanceof Error ? error.message : String(error);
  // Another engine of the same model would say the same.
  const isFinal = error instanceof RidgepointError && (error.code === 'usage' || error.code === 'prompt');
  return { reason, ...(isFinal ? { final: true } : {}) };
}

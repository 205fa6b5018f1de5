import type { EngineStats, GenerateOptions, Generation, GenerationResult, Prompt, TextEngine } from '../engine/api.js';
import type { RunningGeneration } from '../engine/generation.js';
import { TextSide, type CheckedGeneration, type TextParts } from '../engine/text-side.js';
import { RidgepointError } from '../errors.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import { ScheduledSequence } from '../scheduler/sequence.js';
import { blockNames } from '../scheduler/block-names.js';
import { RequestLedger } from './ledger.js';
import { Placer, type PlacementName } from './placement.js';
import { rebalance, type PoolMove } from './role-balance.js';
import { RouterCounts } from './router-counts.js';
import { RouterJob } from './router-job.js';
import type { RunFailure, RunKey, RunTokens } from './run-request.js';
import type { WorkerLink, WorkerListener } from './worker-link.js';
import type { Workers } from './workers.js';

/** How long a request waits for a worker that could answer it; one that is started anew loads its model first. */
const NOBODY_MS = 60_000;

/** How often it is looked whether something comes of what runs, in milliseconds, where the limit is not shorter. */
const LOOK_MS = 1000;

export interface RouterParts extends TextParts {
  /** A run of which nothing comes for so long, while its worker's engine makes no step, goes on elsewhere. */
  readonly silenceMs: number;
  readonly workers: Workers;
  readonly placement: PlacementName;
  /** Told that a worker is to do another phase from now on. */
  readonly onMove?: (move: PoolMove) => void;
  /** Ends the connections. */
  readonly close: () => void;
}

/**
 * An engine without a GPU: texts are made here, and workers make the tokens. What a worker began and did not finish goes
 * on elsewhere from the ids that have come.
 */
export class RouterEngine extends TextSide implements TextEngine, WorkerListener {
  readonly counts = new RouterCounts();
  readonly #ledger = new RequestLedger();
  readonly #jobs = new Map<string, RouterJob>();
  readonly #router: string = globalThis.crypto.randomUUID();
  readonly #workers: Workers;
  readonly #placer: Placer;
  readonly #close: () => void;
  readonly #silenceMs: number;
  readonly #onMove: RouterParts['onMove'];
  readonly #watch: ReturnType<typeof setInterval>;
  #nextId = 0;
  #disposed = false;

  constructor(parts: RouterParts) {
    super(parts);
    this.#workers = parts.workers;
    this.#placer = new Placer(parts.placement);
    this.#close = parts.close;
    this.#silenceMs = parts.silenceMs;
    this.#onMove = parts.onMove;
    this.#watch = setInterval(() => this.#look(), Math.min(LOOK_MS, parts.silenceMs / 4));
  }

  /** @throws RidgepointError as every engine's, and for a constraint that only this process could ask */
  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    const { constraint, ...rest } = options;
    const described = constraint?.description;
    if (constraint !== undefined && described === undefined) {
      throw new RidgepointError('usage', 'a constraint without a description cannot be kept to by another process');
    }
    const number = this.#nextId++;
    const id = `${this.#router}:${number}`;
    let checked: CheckedGeneration | undefined;
    const generation = this.prepare(prompt, rest, {
      sequence: (all) => {
        checked = all;
        return new ScheduledSequence(number, all.promptIds.length, all.maxTokens);
      },
      cancel: (abandoned) => this.#abort(id, abandoned),
    });
    if (generation.done) return generation;
    const names = blockNames(checked!.promptIds, BLOCK_TOKENS);
    const job = new RouterJob(id, generation, { checked: checked!, names, constraint: described });
    this.#jobs.set(id, job);
    this.#ledger.open(id, checked!.options.resume);
    generation.result.finally(() => this.#jobs.delete(id)).catch(() => undefined);
    this.#place(job);
    return shown(generation, job);
  }

  get failure(): Error | undefined {
    if (this.#workers.decoders.length > 0) return undefined;
    return new RidgepointError('worker', 'no worker that answers can be reached');
  }

  /** Messages about workers' blocks that were missed. */
  get blockGaps(): number {
    return this.#workers.names.gaps;
  }

  stats(): EngineStats {
    const stats = this.#workers.stats();
    return { ...stats, waiting: stats.waiting + this.#ledger.waiting.length };
  }

  // What happens to workers.

  came(link: WorkerLink): string | undefined {
    const problem = this.#workers.admit(link);
    if (problem === undefined) this.#placeAll();
    return problem;
  }

  cameBack(link: WorkerLink): void {
    for (const { id, attempt, ids } of this.#ledger.of(link.name)) {
      link.run(this.#jobs.get(id)!.request({ id, attempt }, ids), ids.length);
    }
    this.#placeAll();
  }

  gone(link: WorkerLink): void {
    for (const { id, attempt } of this.#ledger.of(link.name)) this.#lose({ id, attempt }, 'gone');
  }

  tokens(link: WorkerLink, key: RunKey, index: number, { tokens, begin }: RunTokens): void {
    const ids = tokens.map(({ id }) => id);
    const taken = this.#ledger.take(key.id, key.attempt, index, ids);
    const job = this.#jobs.get(key.id);
    if (taken === 'stale' || job === undefined) return link.release(key, false);
    if (taken === 'gap') return this.#ask(link, key);
    job.heardAt = performance.now();
    if (begin !== undefined && job.began(begin)) this.#told(link, job);
    if (job.lostAt !== undefined && taken.fresh.length > 0) {
      this.counts.recovered(performance.now() - job.lostAt);
      job.lostAt = undefined;
    }
    for (const { id, logprobs } of tokens.slice(taken.skipped)) {
      job.generation.push(id, logprobs && { token: logprobs.token, top: [...logprobs.top] });
    }
    if (!job.generation.done) return;
    this.counts.answered(index + ids.length);
    this.#finish(link, key, job, true);
  }

  ended(link: WorkerLink, key: RunKey, count: number): void {
    const end = this.#ledger.isCurrent(key.id, key.attempt) ? this.#ledger.get(key.id)!.ids.length : undefined;
    if (end === undefined) return link.release(key, true);
    if (end < count) return this.#ask(link, key);
    // The answer is not at its end by what was asked for.
    link.release(key, true);
    this.#lose(key, 'ended early');
  }

  failed(_link: WorkerLink, key: RunKey, { reason, final, busy }: RunFailure): void {
    const job = this.#jobs.get(key.id);
    if (job === undefined || !this.#ledger.isCurrent(key.id, key.attempt)) return;
    if (final !== true) return this.#lose(key, busy === true ? 'busy' : 'failed', reason);
    this.#ledger.close(key.id);
    job.over();
    job.generation.fail(new RidgepointError('usage', reason));
  }

  /** Asks for what is missing in between. */
  #ask(link: WorkerLink, key: RunKey): void {
    this.counts.gaps++;
    const { ids } = this.#ledger.get(key.id)!;
    link.run(this.#jobs.get(key.id)!.request(key, ids), ids.length);
  }

  #told(link: WorkerLink, { kv }: RouterJob): void {
    if (kv === undefined) return;
    this.counts.transferred(kv);
    this.#workers.came(link.name, kv.bytes, kv.ms);
  }

  #finish(link: WorkerLink | undefined, key: RunKey, job: RouterJob, isWhole: boolean): void {
    link?.release(key, isWhole);
    this.#ledger.close(key.id);
    job.over();
  }

  #abort(id: string, generation: RunningGeneration): void {
    const entry = this.#ledger.get(id);
    const job = this.#jobs.get(id);
    if (entry !== undefined && job !== undefined) {
      const link = entry.worker === undefined ? undefined : this.#workers.get(entry.worker);
      this.#finish(link, { id, attempt: entry.attempt }, job, false);
    }
    generation.finish('abort');
  }

  #lose(key: RunKey, why: string, reason = 'their connection was lost'): void {
    const job = this.#jobs.get(key.id)!;
    this.counts.lose(why);
    job.over();
    job.lostAt ??= performance.now();
    const next = this.#ledger.lose(key.id, key.attempt);
    if (next === 'again') return this.#place(job);
    job.generation.fail(
      new RidgepointError('worker', `${key.attempt} workers have begun this and none has finished it: ${reason}`),
    );
  }

  /** Looks whether something comes of what runs. */
  #look(): void {
    const now = performance.now();
    const { progress, present } = this.#workers;
    for (const { link } of present) {
      if (link.report !== undefined) progress.report(link.name, link.report.stats.steps, now);
    }
    for (const { id, attempt, worker } of this.#ledger.running) {
      const since = Math.max(this.#jobs.get(id)!.heardAt, progress.steppedAt(worker!));
      if (now - since < this.#silenceMs) continue;
      progress.markStuck(worker!);
      this.#workers.get(worker!)?.release({ id, attempt }, false);
      this.#lose({ id, attempt }, 'silent', `nothing came of it for ${this.#silenceMs / 1000} s`);
    }
    const move = rebalance(this.#workers.pools(this.counts.answerTokens), now);
    if (move !== undefined) {
      this.counts.moves++;
      this.#workers.move(move);
      this.#onMove?.(move);
    }
    this.#placeAll();
  }

  #placeAll(): void {
    for (const { id } of this.#ledger.waiting) this.#place(this.#jobs.get(id)!);
  }

  #place(job: RouterJob): void {
    const { id } = job;
    const { lostBy, ids } = this.#ledger.get(id)!;
    const placed = this.#placer.place({ ...job.placeable(this.info), lostBy }, this.#workers.candidates(job.names));
    if (placed === undefined) {
      job.waits(NOBODY_MS, () => this.#nobody(job));
      return;
    }
    const { decode, prefill } = placed;
    const attempt = this.#ledger.place(id, decode.name);
    this.counts.attempts++;
    job.placed(placed, (name, work) => this.#workers.begin(name, work));
    for (const { name } of [decode, ...(prefill === undefined ? [] : [prefill])])
      this.#workers.names.add(name, job.names);
    this.#workers.get(decode.name)!.run(job.request({ id, attempt }, ids), ids.length);
  }

  #nobody(job: RouterJob): void {
    this.#ledger.close(job.id);
    job.generation.fail(new RidgepointError('worker', 'no worker that answers can be reached; ask again later'));
  }

  protected assertUsable(): void {
    if (this.#disposed) throw new RidgepointError('usage', 'the engine was disposed; load another');
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearInterval(this.#watch);
    for (const { id, generation } of [...this.#jobs.values()]) this.#abort(id, generation);
    this.#close();
    await this.closeText();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** A generation that says where it was made. */
function shown(generation: RunningGeneration, job: RouterJob): Generation {
  const result = generation.result.then((made): GenerationResult => ({ ...made, route: job.route() }));
  result.catch(() => undefined); // who only iterates sees the error there
  return { result, sequence: generation.sequence, [Symbol.asyncIterator]: () => generation[Symbol.asyncIterator]() };
}

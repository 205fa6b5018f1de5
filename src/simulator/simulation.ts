import { ScheduledSequence } from '../engine/sequence.js';
import type { PrefillChunk } from '../engine/step-plan.js';
import { checkCluster, type Cluster, type Pool, type Transfer } from './cluster.js';
import { EventQueue, RANK } from './event-queue.js';
import { Links, type Flow } from './links.js';
import { Machine } from './machine.js';
import type { SimulatedFlow, SimulatedStep, Simulation } from './outcome.js';
import { holds, schedulerOf, type Place } from './place.js';
import type { StepLoad } from './price/price.js';
import { RequestTrace, type SimulatedRequest } from './request.js';
import { Router } from './router.js';

export interface SimulationOptions {
  /** Of what is drawn while it runs, which is random routing; default 0. */
  readonly seed?: number;
  /** Whether the time of every token can be asked for; default true. */
  readonly keepTokens?: boolean;
  /** Whether stretches of decoding are taken in one go; default true, and what comes out is the same. */
  readonly stretches?: boolean;
  /** Whether every step and every transfer is kept; each is then taken by itself. Default false. */
  readonly keepSteps?: boolean;
}

/** A request on its way. */
interface Life {
  readonly trace: RequestTrace;
  prefill: { readonly place: Place; readonly sequence: ScheduledSequence } | undefined;
  decode: { readonly place: Place; readonly sequence: ScheduledSequence } | undefined;
  flow: Flow | undefined;
  promptDone: boolean;
}

/** Runs requests through a cluster until the last has ended. @throws RidgepointError when the cluster cannot serve */
export function simulate(
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  options: SimulationOptions = {},
): Simulation {
  const run = beginSimulation(cluster, requests, options);
  run.advance(Infinity);
  return run.result();
}

/** A simulation that is taken in parts, so that others get a turn in between. */
export interface SimulationRun {
  /** Lets so many events happen. @returns whether there are more */
  advance(events: number): boolean;
  /** What it has come to so far; `interrupted` says whether that is not the end. */
  result(): Simulation;
}

/** @throws RidgepointError when the cluster cannot serve */
export const beginSimulation = (
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  options: SimulationOptions = {},
): SimulationRun => new Run(cluster, requests, options);

class Run implements SimulationRun {
  readonly #events = new EventQueue();
  readonly #places: Place[] = [];
  readonly #entries: readonly Place[];
  readonly #decoders: readonly Place[];
  readonly #links: Links;
  readonly #routers: { readonly prefill: Router; readonly decode: Router };
  readonly #lives = new Map<ScheduledSequence, Life>();
  readonly #traces: RequestTrace[] = [];
  readonly #steps: SimulatedStep[] = [];
  readonly #flows: SimulatedFlow[] = [];
  #transfers = 0;
  #sequences = 0;
  #lastEnd = 0;
  #more = true;

  constructor(
    private readonly cluster: Cluster,
    requests: readonly SimulatedRequest[],
    private readonly options: SimulationOptions,
  ) {
    checkCluster(cluster);
    const { seed = 0 } = options;
    for (const pool of cluster.pools) for (let at = 0; at < pool.count; at++) this.#places.push(this.#place(pool));
    this.#entries = this.#places.filter(({ pool }) => pool.role !== 'decode');
    this.#decoders = this.#places.filter(({ pool }) => pool.role === 'decode');
    this.#links = new Links(
      this.#events,
      (at) => this.#places[at].pool.linkBytesPerSecond ?? Infinity,
      cluster.transfer?.shared ?? true,
    );
    this.#routers = {
      prefill: new Router(cluster.router.prefill, seed),
      decode: new Router(cluster.router.decode, seed + 1),
    };
    const inOrder = [...requests].sort((a, b) => a.arrival - b.arrival || a.index - b.index);
    this.#enterArrival(inOrder, 0);
  }

  advance(events: number): boolean {
    for (let count = 0; count < events; count++) if (!this.#events.step()) return (this.#more = false);
    return true;
  }

  result(): Simulation {
    return {
      traces: this.#traces,
      duration: this.#lastEnd,
      machines: this.#places.map(({ pool, machine: { counts, scheduler } }) => ({
        pool: pool.name,
        ...counts,
        ...scheduler.counts,
        freeBlocks: scheduler.freeBlocks,
        blocks: pool.blocks,
      })),
      transfers: { count: this.#transfers, ...this.#links.counts },
      interrupted: this.#more,
      ...(this.options.keepSteps ? { steps: this.#steps, flows: this.#flows } : {}),
    };
  }

  /** One arrival at a time is in the queue, however many requests there are. */
  #enterArrival(requests: readonly SimulatedRequest[], at: number): void {
    if (at >= requests.length) return;
    this.#events.at(requests[at].arrival, RANK.arrival, () => {
      this.#arrive(requests[at]);
      this.#enterArrival(requests, at + 1);
    });
  }

  #arrive(request: SimulatedRequest): void {
    const trace = new RequestTrace(request, this.options.keepTokens ?? true);
    this.#traces.push(trace);
    const { promptTokens, outputTokens, blockNames } = request;
    const needed = promptTokens + outputTokens - 1;
    const decodes = this.#decoders.some(({ pool }) => holds(pool, needed));
    const fitting = this.#entries.filter(({ pool }) =>
      pool.role === 'both' ? holds(pool, needed) : decodes && holds(pool, promptTokens),
    );
    if (fitting.length === 0) {
      trace.status = 'refused';
      trace.refusal = `it needs ${needed} tokens of KV cache, and ${this.#rooms()}`;
      return;
    }
    const place = fitting[this.#routers.prefill.choose(fitting)];
    const apart = place.pool.role === 'prefill';
    const sequence = new ScheduledSequence(this.#sequences++, promptTokens, apart ? 1 : outputTokens, { blockNames });
    const life: Life = { trace, prefill: { place, sequence }, decode: undefined, flow: undefined, promptDone: false };
    this.#take(place, sequence, life, promptTokens);
    place.machine.add(sequence);
    if (request.patience !== undefined) {
      this.#events.at(request.arrival + request.patience, RANK.arrival, () => this.#leave(life));
    }
  }

  /** What a machine of each pool has, for who does not fit. */
  #rooms(): string {
    return this.cluster.pools
      .map(({ name, blocks, blockTokens }) => `a machine of ${name} has ${blocks * blockTokens}`)
      .join(', ');
  }

  /** A sequence comes to a machine. */
  #take(place: Place, sequence: ScheduledSequence, life: Life, promptTokens: number): void {
    this.#lives.set(sequence, life);
    place.requests++;
    place.promptTokens += promptTokens;
    place.cacheTokens += sequence.lifeTokens;
  }

  /** A sequence leaves a machine, and its blocks are free. */
  #drop({ place, sequence }: { readonly place: Place; readonly sequence: ScheduledSequence }): void {
    this.#lives.delete(sequence);
    place.requests--;
    place.cacheTokens -= sequence.lifeTokens;
    place.machine.finish(sequence);
  }

  #onTokens(place: Place, sequence: ScheduledSequence, ends: readonly number[], from: number, to: number): void {
    const { trace } = this.#lives.get(sequence)!;
    if (trace.tokens.count === 0) place.promptTokens -= sequence.promptLength;
    if (to - from === 1) trace.tokens.push(ends[from]);
    else trace.tokens.pushRun(ends, from, to);
  }

  #onDone(sequence: ScheduledSequence): void {
    const life = this.#lives.get(sequence)!;
    const { request, tokens } = life.trace;
    if (tokens.count >= request.outputTokens) {
      this.#endOf(life, 'completed');
      return;
    }
    // The prompt is done and the rest is for another machine.
    life.promptDone = true;
    if (life.decode === undefined) this.#chooseDecoder(life);
    else if (life.flow !== undefined) this.#links.allow(life.flow);
  }

  /** A machine has begun to compute parts of prompts. */
  #onPrompts(place: Place, prefill: readonly PrefillChunk[], seconds: number): void {
    const transfer = this.cluster.transfer;
    for (const { sequence } of prefill) {
      const life = this.#lives.get(sequence);
      if (life === undefined) continue;
      const { trace } = life;
      if (Number.isNaN(trace.firstRun)) trace.firstRun = this.#events.now;
      if (place.pool.role !== 'prefill' || transfer?.mode !== 'layerwise') continue;
      if (life.decode !== undefined || trace.request.outputTokens === 1) continue;
      this.#events.at(this.#events.now + seconds / transfer.layers, RANK.transfer, () => {
        if (trace.status === 'waiting' && life.decode === undefined) this.#chooseDecoder(life);
      });
    }
  }

  #chooseDecoder(life: Life): void {
    const { request } = life.trace;
    const needed = request.promptTokens + request.outputTokens - 1;
    const fitting = this.#decoders.filter(({ pool }) => holds(pool, needed));
    const place = fitting[this.#routers.decode.choose(fitting)];
    const sequence = new ScheduledSequence(this.#sequences++, request.promptTokens, request.outputTokens, {
      transferred: true,
    });
    life.decode = { place, sequence };
    this.#take(place, sequence, life, 0);
    place.machine.add(sequence);
  }

  /** The machine that decodes has blocks: bytes can move. */
  #onReserved(sequence: ScheduledSequence): void {
    const life = this.#lives.get(sequence)!;
    const { bytesPerToken, overlap, latency } = this.cluster.transfer as Transfer;
    const bytes = life.trace.request.promptTokens * bytesPerToken;
    // Even where all may move early, the last of it comes after the prompt.
    const withheld = life.promptDone ? 0 : Math.max(bytes * (1 - overlap), Math.min(bytes, 1));
    this.#transfers++;
    const begin = this.#events.now;
    const [from, to] = [life.prefill!.place.at, life.decode!.place.at];
    const flow = this.#links.start(from, to, bytes, withheld, () => {
      if (this.options.keepSteps) this.#flows.push({ from, to, begin, end: this.#events.now, bytes });
      this.#events.at(this.#events.now + latency, RANK.transfer, () => this.#arrived(life));
    });
    life.flow = flow;
  }

  #arrived(life: Life): void {
    if (life.trace.status !== 'waiting') return;
    life.trace.transferred = this.#events.now;
    life.flow = undefined;
    this.#drop(life.prefill!);
    life.prefill = undefined;
    const { place, sequence } = life.decode!;
    place.machine.release(sequence);
  }

  #leave(life: Life): void {
    if (life.trace.status === 'waiting') this.#endOf(life, 'aborted');
  }

  #endOf(life: Life, status: 'completed' | 'aborted'): void {
    const { trace } = life;
    // What it had got by now has to be counted before it is gone.
    life.prefill?.place.machine.sync();
    life.decode?.place.machine.sync();
    if (trace.tokens.count === 0) life.prefill!.place.promptTokens -= trace.request.promptTokens;
    trace.status = status;
    trace.end = this.#events.now;
    this.#lastEnd = this.#events.now;
    if (life.flow !== undefined) this.#links.cancel(life.flow);
    if (life.prefill !== undefined) this.#drop(life.prefill);
    if (life.decode !== undefined) this.#drop(life.decode);
  }

  #note(place: Place, { decodeRows, prompts }: StepLoad, seconds: number): void {
    const promptTokens = prompts.reduce((sum, { begin, end }) => sum + end - begin, 0);
    const { now } = this.#events;
    this.#steps.push({ machine: place.at, begin: now, end: now + seconds, decodeRows, promptTokens });
  }

  #place(pool: Pool): Place {
    const { stretches = true, keepSteps = false } = this.options;
    const machine: Machine = new Machine(this.#events, {
      scheduler: schedulerOf(pool),
      price: pool.price,
      depth: pool.depth,
      stretches: stretches && !keepSteps,
      onStep: keepSteps ? (load, seconds) => this.#note(place, load, seconds) : undefined,
      onTokens: (sequence, ends, from, to) => this.#onTokens(place, sequence, ends, from, to),
      onDone: (sequence) => this.#onDone(sequence),
      onReserved: (sequence) => this.#onReserved(sequence),
      onPrompts: (prefill, seconds) => this.#onPrompts(place, prefill, seconds),
    });
    const place: Place = { at: this.#places.length, pool, machine, requests: 0, promptTokens: 0, cacheTokens: 0 };
    return place;
  }
}

import { ScheduledSequence } from '../scheduler/sequence.js';
import type { PrefillChunk } from '../scheduler/step-plan.js';
import { checkCluster, type Cluster, type Pool, type Transfer } from './cluster.js';
import { EventQueue, RANK } from './event-queue.js';
import { Fleet } from './fleet.js';
import { stepOf, type Life } from './life.js';
import { Links } from './links.js';
import { Machine } from './machine.js';
import type { SimulatedFlow, SimulatedStep, Simulation, SimulationRun } from './outcome.js';
import { rooms, schedulerOf, type Place } from './place.js';
import { RequestTrace, type SimulatedRequest } from './request.js';
import type { SimulationOptions } from './simulation-options.js';
import { TraceColumns } from './trace-columns.js';

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

/** @throws RidgepointError when the cluster cannot serve */
export const beginSimulation = (
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  options: SimulationOptions = {},
): SimulationRun => new Run(cluster, requests, options);

class Run implements SimulationRun {
  readonly #events = new EventQueue();
  readonly #places: Place[] = [];
  readonly #fleet: Fleet;
  #arrivalsLeft = true;
  readonly #links: Links;
  readonly #lives = new Map<ScheduledSequence, Life>();
  readonly #traces: RequestTrace[] = [];
  readonly #columns: TraceColumns;
  readonly #steps: SimulatedStep[] = [];
  readonly #flows: SimulatedFlow[] = [];
  #transfers = 0;
  #sequences = 0;
  #lastEnd = 0;
  #more = true;
  readonly #cluster: Cluster;
  readonly #options: SimulationOptions;

  constructor(cluster: Cluster, requests: readonly SimulatedRequest[], options: SimulationOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#columns = new TraceColumns(requests.length);
    checkCluster(cluster);
    for (const pool of cluster.pools) for (let at = 0; at < pool.count; at++) this.#places.push(this.#place(pool));
    this.#fleet = new Fleet(this.#places, cluster, options.seed ?? 0);
    this.#fleet.watch(this.#events, () => this.#arrivalsLeft || this.#lives.size > 0);
    this.#links = new Links(
      this.#events,
      (at) => this.#places[at].pool.linkBytesPerSecond ?? Infinity,
      cluster.transfer?.shared ?? true,
    );
    const inOrder = [...requests].sort((a, b) => a.arrival - b.arrival || a.index - b.index);
    this.#enterArrival(inOrder, 0);
  }

  advance(events: number): boolean {
    for (let count = 0; count < events; count++) if (!this.#events.step()) return (this.#more = false);
    return true;
  }

  get now(): number {
    return this.#events.now;
  }

  result(): Simulation {
    const { reallocation } = this.#fleet;
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
      ...(reallocation && { reallocation }),
      ...(this.#options.keepSteps ? { steps: this.#steps, flows: this.#flows } : {}),
    };
  }

  /** One arrival at a time is in the queue, however many requests there are. */
  #enterArrival(requests: readonly SimulatedRequest[], at: number): void {
    this.#arrivalsLeft = at < requests.length;
    if (!this.#arrivalsLeft) return;
    this.#events.at(requests[at].arrival, RANK.arrival, () => {
      this.#arrive(requests[at]);
      this.#enterArrival(requests, at + 1);
    });
  }

  #arrive(request: SimulatedRequest): void {
    const { keepTokens = true, onEnd } = this.#options;
    const at = this.#traces.length;
    const trace = new RequestTrace(request, this.#columns, { at, keepTokens: keepTokens || onEnd !== undefined });
    this.#traces.push(trace);
    const { promptTokens, outputTokens, blockNames } = request;
    const entry = this.#fleet.entryOf(request);
    if (entry === undefined) {
      trace.status = 'refused';
      trace.refusal = `it needs ${promptTokens + outputTokens - 1} tokens of KV cache, and ${rooms(this.#cluster)}`;
      return;
    }
    const { place, apart } = entry;
    const sequence = new ScheduledSequence(this.#sequences++, promptTokens, apart ? 1 : outputTokens, { blockNames });
    const life: Life = {
      trace,
      prefill: { place, sequence },
      decode: undefined,
      apart,
      flow: undefined,
      promptDone: false,
    };
    this.#take(place, sequence, life, promptTokens);
    place.machine.add(sequence);
    if (request.patience !== undefined) {
      this.#events.at(request.arrival + request.patience, RANK.arrival, () => this.#leave(life));
    }
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
    this.#fleet.left(place);
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
  #onPrompts(prefill: readonly PrefillChunk[], seconds: number): void {
    const transfer = this.#cluster.transfer;
    for (const { sequence } of prefill) {
      const life = this.#lives.get(sequence);
      if (life === undefined) continue;
      const { trace } = life;
      trace.began(this.#events.now);
      if (!life.apart || transfer?.mode !== 'layerwise') continue;
      if (life.decode !== undefined || trace.request.outputTokens === 1) continue;
      this.#events.at(this.#events.now + seconds / transfer.layers, RANK.transfer, () => {
        if (trace.status === 'waiting' && life.decode === undefined) this.#chooseDecoder(life);
      });
    }
  }

  #chooseDecoder(life: Life): void {
    const { request } = life.trace;
    const needed = request.promptTokens + request.outputTokens - 1;
    const place = this.#fleet.decoderOf(needed);
    // A machine that has changed its phase meanwhile goes on with what it has: it cannot wait for room that it holds itself.
    const stays = life.prefill!.place === place;
    if (stays && !life.promptDone) return;
    const sequence = new ScheduledSequence(this.#sequences++, request.promptTokens, request.outputTokens, {
      transferred: true,
    });
    life.decode = { place, sequence, pending: needed };
    place.pendingTokens += needed;
    if (stays) {
      this.#drop(life.prefill!);
      life.prefill = undefined;
    }
    this.#take(place, sequence, life, 0);
    place.machine.add(sequence);
  }

  /** The machine that decodes has blocks: bytes can move. */
  #onReserved(sequence: ScheduledSequence): void {
    const life = this.#lives.get(sequence)!;
    const { bytesPerToken, overlap, latency } = this.#cluster.transfer as Transfer;
    this.#reserved(life);
    if (life.prefill === undefined) {
      life.decode!.place.machine.release(sequence);
      return;
    }
    const bytes = life.trace.request.promptTokens * bytesPerToken;
    // Even where all may move early, the last of it comes after the prompt.
    const withheld = life.promptDone ? 0 : Math.max(bytes * (1 - overlap), Math.min(bytes, 1));
    this.#transfers++;
    const begin = this.#events.now;
    const [from, to] = [life.prefill.place.at, life.decode!.place.at];
    const flow = this.#links.start(from, to, bytes, withheld, () => {
      if (this.#options.keepSteps) this.#flows.push({ from, to, begin, end: this.#events.now, bytes });
      this.#events.at(this.#events.now + latency, RANK.transfer, () => this.#arrived(life));
    });
    life.flow = flow;
  }

  /** No longer waits for blocks of the machine that decodes. */
  #reserved({ decode }: Life): void {
    if (decode === undefined) return;
    decode.place.pendingTokens -= decode.pending;
    decode.pending = 0;
  }

  #arrived(life: Life): void {
    if (life.trace.status !== 'waiting') return;
    life.trace.arrived(this.#events.now, this.#cluster.transfer?.firstTokenAt);
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
    this.#reserved(life);
    if (status === 'completed') this.#fleet.ended(trace.request);
    trace.ended(status, this.#events.now);
    this.#lastEnd = this.#events.now;
    if (life.flow !== undefined) this.#links.cancel(life.flow);
    if (life.prefill !== undefined) this.#drop(life.prefill);
    if (life.decode !== undefined) this.#drop(life.decode);
    const { keepTokens = true, onEnd } = this.#options;
    onEnd?.(trace);
    if (!keepTokens) trace.tokens.forget();
  }

  #place(pool: Pool): Place {
    const { stretches = true, keepSteps = false } = this.#options;
    const machine: Machine = new Machine(this.#events, {
      scheduler: schedulerOf(pool),
      price: pool.price,
      depth: pool.depth,
      stretches: stretches && !keepSteps,
      onStep: keepSteps
        ? (load, seconds) => this.#steps.push(stepOf(place, load, this.#events.now, seconds))
        : undefined,
      onTokens: (sequence, ends, from, to) => this.#onTokens(place, sequence, ends, from, to),
      onDone: (sequence) => this.#onDone(sequence),
      onReserved: (sequence) => this.#onReserved(sequence),
      onPrompts: (prefill, seconds) => this.#onPrompts(prefill, seconds),
    });
    const place: Place = {
      at: this.#places.length,
      pool,
      machine,
      requests: 0,
      promptTokens: 0,
      cacheTokens: 0,
      pendingTokens: 0,
      role: pool.role,
      next: undefined,
    };
    return place;
  }
}

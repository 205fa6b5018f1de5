import { RidgepointError } from '../../errors.js';
import type { SimulatedRequest } from '../request.js';
import type { BatchLimits } from './batch.js';
import { EventHeap } from './event-heap.js';
import { SplitwiseMachine } from './machine.js';
import type { SplitwiseProfile } from './profile.js';
import { splitwiseScheduler, type SplitwiseScheduler, type SplitwiseSchedulerName } from './scheduler.js';
import { TaskLife, type Task } from './task.js';

/** A model as splitwise-sim describes it; keys and values are those of every head, grouped queries are not known. */
export interface SplitwiseModel {
  /** As the profile calls it. */
  readonly name: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly weightBytes: number;
  readonly bytesPerElement: number;
}

export interface SplitwisePool {
  readonly role: 'prompt' | 'token';
  readonly count: number;
  /** As the profile calls it. */
  readonly hardware: string;
  readonly tensorParallel: number;
  /** Bytes of all chips of a machine. */
  readonly memoryBytes: number;
}

export interface SplitwiseCluster {
  readonly model: SplitwiseModel;
  readonly pools: readonly SplitwisePool[];
  /** Default `mixed_pool`. */
  readonly scheduler?: SplitwiseSchedulerName;
  /** Default 512 tasks, 2,048 tokens, 4 times passed over. */
  readonly limits?: Partial<BatchLimits>;
  /** Pending tokens above which `mixed_pool` gives a machine with a queue no further prompt; default 8,192. */
  readonly promptThreshold?: number;
  /** Bytes a second of a transfer, which shares its link with none; default 200 GiB/s. */
  readonly transferBytesPerSecond?: number;
  /** Seconds after which nothing more begins, however many requests are left; default a day. */
  readonly endSeconds?: number;
}

/** What became of a request; all in seconds. */
export interface SplitwiseTimes {
  readonly index: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** From arrival until its prompt began. */
  readonly queue: number;
  /** From arrival to the first token. */
  readonly ttft: number;
  /** From arrival to the last. */
  readonly response: number;
  /** From the first token until the iteration that makes the second began. */
  readonly secondTokenDelay: number;
  /** (response - ttft) / tokens of the answer: theirs divides by all of them. */
  readonly tbt: number;
}

export interface SplitwiseRun {
  /** Of the requests that completed, in the order they were given. */
  readonly times: readonly SplitwiseTimes[];
  /** Requests that came and never did, for want of memory or of time. */
  readonly unserved: readonly number[];
  readonly machines: readonly {
    readonly role: 'prompt' | 'token';
    readonly busySeconds: number;
    readonly iterations: number;
    /** Times a task that decoded was put out of the batch. */
    readonly putOut: number;
    /** Bytes of requests at the end: none, where all were served. */
    readonly heldBytes: number;
  }[];
  /** Seconds until the last request had ended. */
  readonly duration: number;
}

export const SPLITWISE_BLOOM: SplitwiseModel = {
  name: 'bloom-176b',
  layers: 70,
  hiddenSize: 14_336,
  weightBytes: 329e9,
  bytesPerElement: 2,
};

/** Machines of eight chips with 80 GiB each, as the profile has them. */
export function splitwisePool(role: 'prompt' | 'token', count: number, hardware = 'h100-80gb'): SplitwisePool {
  return { role, count, hardware, tensorParallel: 8, memoryBytes: 8 * 80 * 2 ** 30 };
}

/** Seconds until a transfer that found too little memory is tried again. */
const RETRY = 1;

/**
 * Runs requests through a cluster by the rules of splitwise-sim (Patel et al., ISCA 2024; Mutinifni/splitwise-sim): its
 * schedulers, its batches, its look-ups, and its order of events that share a moment.
 *
 * @param requests in the order of their arrivals
 * @throws RidgepointError for a request with fewer than two tokens of answer, a machine that the profile has no times
 * of, or a cluster that lacks a role
 */
export function simulateSplitwise(
  cluster: SplitwiseCluster,
  requests: readonly SimulatedRequest[],
  profile: SplitwiseProfile,
): SplitwiseRun {
  return new Run(cluster, profile).run(requests);
}

class Run {
  readonly #events = new EventHeap();
  readonly #machines: readonly SplitwiseMachine[];
  readonly #scheduler: SplitwiseScheduler;
  readonly #bytesPerToken: number;
  readonly #weightBytes: number;
  readonly #bytesPerSecond: number;
  readonly #endSeconds: number;
  readonly #lives: TaskLife[] = [];
  #lastEnd = 0;

  constructor(cluster: SplitwiseCluster, profile: SplitwiseProfile) {
    const { model, pools, scheduler = 'mixed_pool', limits, promptThreshold = 8192 } = cluster;
    this.#endSeconds = cluster.endSeconds ?? 86_400;
    this.#bytesPerToken = 2 * model.layers * model.hiddenSize * model.bytesPerElement;
    this.#weightBytes = model.weightBytes;
    this.#machines = pools.flatMap(({ role, count, hardware, tensorParallel, memoryBytes }) => {
      const price = profile.price(model.name, hardware, tensorParallel);
      return Array.from(
        { length: count },
        () =>
          new SplitwiseMachine(this.#events, {
            role,
            price,
            memoryBytes,
            weightBytes: model.weightBytes,
            maxBatch: 512,
            maxBatchTokens: 2048,
            maxPreemptions: 4,
            ...limits,
            onCompleted: (task) => this.#completed(task),
            onFree: (machine) => this.#scheduler.onFree(machine),
          }),
      );
    });
    this.#scheduler = splitwiseScheduler(scheduler, this.#machines, promptThreshold);
    this.#bytesPerSecond = (cluster.transferBytesPerSecond ?? 200 * 2 ** 30) * this.#scheduler.speedup;
  }

  run(requests: readonly SimulatedRequest[]): SplitwiseRun {
    for (const { index, outputTokens } of requests) {
      if (outputTokens >= 2) continue;
      throw new RidgepointError(
        'usage',
        `request ${index} has an answer of ${outputTokens} tokens; splitwise-sim knows none below 2`,
      );
    }
    for (const request of requests) this.#events.after(request.arrival, () => this.#arrive(request));
    // Where memory can never suffice, transfers would be tried for ever.
    while (this.#events.now < this.#endSeconds && this.#events.step());
    const done = this.#lives.filter(({ end }) => !Number.isNaN(end));
    return {
      times: done.sort((a, b) => a.request.index - b.request.index).map(timesOf),
      unserved: this.#lives.filter(({ end }) => Number.isNaN(end)).map(({ request }) => request.index),
      machines: this.#machines.map(({ role, counts, memory }) => ({
        role,
        ...counts,
        heldBytes: memory - this.#weightBytes,
      })),
      duration: this.#lastEnd,
    };
  }

  #arrive(request: SimulatedRequest): void {
    const life = new TaskLife(request, this.#bytesPerToken);
    this.#lives.push(life);
    const { prompt, token } = this.#scheduler.assign(life);
    life.token.machine = token;
    prompt.arrive(life.prompt);
    // Where it stays on its machine, the rest is in the queue from the beginning.
    if (prompt === token) token.arrive(life.token);
  }

  #completed(task: Task): void {
    const { life, machine } = task;
    if (task.kind === 'token') {
      machine!.pendingTokens -= 1;
      machine!.free(life.bytes);
      this.#lastEnd = life.end = this.#events.now;
      return;
    }
    machine!.pendingTokens -= task.batchTokens;
    life.promptEnd = this.#events.now;
    if (machine !== life.token.machine) this.#transfer(life);
  }

  /** Moves keys and values as soon as there is room for them; every transfer has its link to itself. */
  #transfer(life: TaskLife): void {
    const { request, prompt, token } = life;
    const [from, to] = [prompt.machine!, token.machine!];
    if (to.memory + life.bytes > to.memoryBytes) {
      this.#events.after(RETRY, () => this.#transfer(life));
      return;
    }
    to.memory += life.bytes;
    const seconds = (request.promptTokens * this.#bytesPerToken) / this.#bytesPerSecond;
    this.#events.after(seconds, () => {
      from.free(life.bytes);
      to.arrive(token);
      from.onTransferred();
    });
  }
}

function timesOf({ request, promptStart, promptEnd, tokenStart, end }: TaskLife): SplitwiseTimes {
  const { index, arrival, promptTokens, outputTokens } = request;
  const [ttft, response] = [promptEnd - arrival, end - arrival];
  return {
    index,
    promptTokens,
    outputTokens,
    queue: promptStart - arrival,
    ttft,
    response,
    secondTokenDelay: tokenStart - promptEnd,
    tbt: (response - ttft) / outputTokens,
  };
}

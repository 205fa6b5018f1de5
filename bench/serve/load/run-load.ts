import type { PlannedRequest, Workload } from '../../../src/traffic/workload.js';
import type { Clock } from './clock.js';
import type { LoadDriver } from './driver.js';
import type { LoadRecord, RequestRecord } from '../../../src/traffic/record.js';

/** How far a run has come. */
export interface RunLoadProgress {
  readonly done: number;
  readonly total: number;
  readonly running: number;
  readonly outputTokens: number;
  readonly failed: number;
}

export interface RunLoadOptions {
  readonly clock: Clock;
  /** Most requests at a time; those due wait for their turn. */
  readonly maxConcurrency?: number;
  /** Ends the run: what is under way is aborted, what is not sent stays unsent. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunLoadProgress) => void;
}

/**
 * Makes the requests of a workload, each at its time, whatever becomes of the others: load is offered, not waited for.
 * Every request sent has a record in the end; a failure is one of them and never the end of the run.
 */
export async function runLoad(workload: Workload, driver: LoadDriver, options: RunLoadOptions): Promise<LoadRecord> {
  const { clock, signal, onProgress } = options;
  const places = new Places(options.maxConcurrency ?? Infinity);
  /** Has every request under way given up: one listener, however many they are. */
  const stops = new Set<() => void>();
  const stopAll = (): void => {
    for (const stop of stops) stop();
    places.open();
  };
  signal?.addEventListener('abort', stopAll, { once: true });
  const records: RequestRecord[] = [];
  const under: Promise<void>[] = [];
  const progress = { done: 0, total: workload.requests.length, running: 0, outputTokens: 0, failed: 0 };
  const told = (): void => onProgress?.({ ...progress });
  const begun = clock.now();
  const observed = {
    clock,
    begun,
    stop: signal,
    stops,
    onTokens: (count: number): void => {
      progress.outputTokens += count;
      told();
    },
  };
  for (const request of workload.requests) {
    const send = driver.prepare(request);
    // No turn of the event loop between requests of the same moment: an engine may take them into one batch.
    const early = begun + request.atMs - clock.now();
    if (early > 0) await clock.sleep(early, signal);
    if (!signal?.aborted && !places.take()) await places.next();
    if (signal?.aborted) break;
    progress.running++;
    told();
    under.push(
      oneRequest(request, send, observed).then((record) => {
        places.give();
        records.push(record);
        progress.running--;
        progress.done++;
        if (record.status === 'failed') progress.failed++;
        told();
      }),
    );
  }
  await Promise.all(under);
  signal?.removeEventListener('abort', stopAll);
  records.sort((a, b) => a.index - b.index);
  return {
    planned: workload.requests.length,
    requests: records,
    durationMs: clock.now() - begun,
    interrupted: signal?.aborted ?? false,
  };
}

interface Observed {
  readonly clock: Clock;
  readonly begun: number;
  readonly stop: AbortSignal | undefined;
  readonly stops: Set<() => void>;
  readonly onTokens: (count: number) => void;
}

/** Never rejects. */
async function oneRequest(
  request: PlannedRequest,
  send: ReturnType<LoadDriver['prepare']>,
  { clock, begun, stop, stops, onTokens }: Observed,
): Promise<RequestRecord> {
  const arrivals: number[] = [];
  const counts: number[] = [];
  let received = 0;
  /** Gives up on the request; `gaveUp` tells whether of its own accord. */
  const client = new AbortController();
  const ended = new AbortController();
  let gaveUp = false;
  const giveUp = (): void => {
    if (ended.signal.aborted) return;
    gaveUp = true;
    client.abort();
  };
  const stopped = (): void => client.abort();
  stops.add(stopped);
  const { abort } = request;
  const sentAt = clock.now();
  if (abort && 'afterMs' in abort) void clock.sleep(abort.afterMs, ended.signal).then(giveUp);

  const outcome = await send({
    signal: client.signal,
    onTokens: (count) => {
      arrivals.push(clock.now() - sentAt);
      counts.push(count);
      received += count;
      onTokens(count);
      if (abort && 'afterTokens' in abort && received >= abort.afterTokens) giveUp();
    },
  }).then(
    (reply) => ({ reply, error: undefined }),
    (error: unknown) => ({ reply: undefined, error: error instanceof Error ? error.message : String(error) }),
  );
  ended.abort();
  stops.delete(stopped);

  const { reply } = outcome;
  const facts = {
    index: request.index,
    scheduledMs: request.atMs,
    sentMs: sentAt - begun,
    promptTokens: reply?.promptTokens ?? request.promptTokens,
    outputTokens: reply?.outputTokens ?? received,
    arrivalsMs: arrivals,
    counts,
    endMs: clock.now() - sentAt,
    ...(reply === undefined ? {} : { finish: reply.finish }),
  };
  if (gaveUp) return { ...facts, outputTokens: received, status: 'aborted' };
  if (stop?.aborted && (reply === undefined || reply.finish === 'abort')) return { ...facts, status: 'interrupted' };
  if (reply === undefined) return { ...facts, status: 'failed', error: outcome.error };
  if (arrivals.length === 0) return { ...facts, status: 'failed', error: 'it ended without a token' };
  return { ...facts, status: 'completed' };
}

/** Places for requests under way, given to those who wait in their order. */
class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(free: number) {
    this.#free = free;
  }

  /** Takes a place if there is one. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Takes the next place that becomes free. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  /** Lets everybody in who waits. */
  open(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

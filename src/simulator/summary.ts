import type { LoadRecord, RequestRecord } from '../traffic/record.js';
import { quantile } from '../statistics.js';
import type { MachineReport, Simulation } from './outcome.js';
import type { RequestTrace } from './request.js';
import { sumsOf, type WorkOf } from './work.js';

/** A request as if a client had measured it, in milliseconds, but for its tokens. */
export function toldOf(trace: RequestTrace): Omit<RequestRecord, 'arrivalsMs' | 'counts'> {
  const { request, tokens, status, refusal } = trace;
  const sent = 1000 * request.arrival;
  const end = Number.isNaN(trace.end) ? request.arrival : trace.end;
  return {
    index: request.index,
    scheduledMs: sent,
    sentMs: sent,
    status: status === 'waiting' ? 'interrupted' : status === 'refused' ? 'failed' : status,
    promptTokens: request.promptTokens,
    outputTokens: tokens.count,
    endMs: 1000 * (end - request.arrival),
    ...(status === 'completed' ? { finish: 'length' } : {}),
    ...(refusal === undefined ? {} : { error: refusal }),
  };
}

/** A simulation as if a client had measured it, in milliseconds, so that all that reads measured runs reads it too. */
export function recordOf({ traces, duration, interrupted }: Simulation): LoadRecord {
  // Tokens come one at a time, so what says so is the same list for all answers of a length.
  const ones = new Map<number, readonly number[]>();
  const onesOf = (count: number): readonly number[] => {
    const known = ones.get(count) ?? new Array<number>(count).fill(1);
    ones.set(count, known);
    return known;
  };
  const requests = traces.map((trace): RequestRecord => {
    return { ...toldOf(trace), arrivalsMs: arrivalsOf(trace), counts: onesOf(trace.tokens.count) };
  });
  requests.sort((a, b) => a.index - b.index);
  return { planned: requests.length, requests, durationMs: 1000 * duration, interrupted };
}

/** When tokens came, in milliseconds since the request did. */
export function arrivalsOf({ tokens, request: { arrival } }: RequestTrace): number[] {
  const times = tokens.all();
  for (let at = 0; at < times.length; at++) times[at] = 1000 * (times[at] - arrival);
  return times;
}

/** What the machines of a pool did, as shares of the time of all of them. */
export interface PoolSummary {
  readonly pool: string;
  readonly machines: number;
  /** Time in which a step ran, of the whole. */
  readonly busy: number;
  /** Time in which prompts were in the step that ran. */
  readonly prompts: number;
  readonly promptTokensPerSecond: number;
  readonly decodedTokensPerSecond: number;
  readonly preemptions: number;
  /** Blocks of the cache that were held, and sequences that waited on a machine, on average while it ran. */
  readonly cacheUse: number;
  readonly queue: number;
  /** Of the peak and of the bandwidth of all machines over the whole time; undefined where the work is not known. */
  readonly mfu: number | undefined;
  readonly mbu: number | undefined;
  /** What its steps are made of for the most part, by the data sheet; undefined where the work is not known. */
  readonly binds: 'compute' | 'memory' | undefined;
}

/** @param workOf of the machines of a pool, where it is known */
export function poolSummaries(
  { machines, duration }: Simulation,
  workOf: (pool: string) => WorkOf | undefined = () => undefined,
): PoolSummary[] {
  const names = [...new Set(machines.map(({ pool }) => pool))];
  return names.map((pool) => {
    const own = machines.filter((machine) => machine.pool === pool);
    const sum = (value: (machine: MachineReport) => number): number =>
      own.reduce((total, each) => total + value(each), 0);
    const share = (seconds: number): number => (duration > 0 ? seconds / (duration * own.length) : 0);
    const rate = (tokens: number): number => (duration > 0 ? tokens / duration : 0);
    const busy = sum(({ busySeconds }) => busySeconds);
    const meanOf = (value: number): number => (busy > 0 ? value / busy : 0);
    const work = workOf(pool)?.of(sumsOf(own));
    return {
      pool,
      machines: own.length,
      busy: share(busy),
      prompts: share(sum(({ promptSeconds }) => promptSeconds)),
      promptTokensPerSecond: rate(sum(({ promptTokens }) => promptTokens)),
      decodedTokensPerSecond: rate(sum(({ decodedTokens }) => decodedTokens)),
      preemptions: sum(({ preemptions }) => preemptions),
      cacheUse: meanOf(sum(({ blockSeconds, blocks }) => blockSeconds / blocks)),
      queue: meanOf(sum(({ waitingSeconds }) => waitingSeconds)),
      mfu: work && share(work.computeSeconds),
      mbu: work && share(work.memorySeconds),
      binds: work && (work.computeSeconds > work.memorySeconds ? 'compute' : 'memory'),
    };
  });
}

/**
 * Whether the queue has no end: in the last third of the arrivals, the later half waited over a tenth longer than the
 * earlier one, and longer than a median request takes once it runs. Such a run has no latency, only a length.
 */
export function overloaded(traces: readonly RequestTrace[]): boolean {
  const served = traces.filter(({ status }) => status !== 'refused');
  const last = served.slice(Math.floor((2 * served.length) / 3));
  if (last.length < 20) return false;
  const wait = (part: readonly RequestTrace[]): number =>
    part.reduce((sum, { firstRun, request }) => sum + (Number.isNaN(firstRun) ? 0 : firstRun - request.arrival), 0) /
    part.length;
  const middle = last.length >> 1;
  const [earlier, later] = [wait(last.slice(0, middle)), wait(last.slice(middle))];
  const runs = served
    .flatMap(({ firstRun, end }) => (Number.isNaN(end - firstRun) ? [] : [end - firstRun]))
    .sort((a, b) => a - b);
  return later > 1.1 * earlier && later > (runs.length === 0 ? 0 : quantile(runs, 0.5));
}

import type { Cluster } from './cluster.js';
import type { RequestTrace, SimulatedRequest } from './request.js';
import { beginSimulation } from './simulation.js';
import { judge, type Alone, type Slo, type SloFinding, type SloLimit } from './slo.js';
import { overloaded } from './summary.js';

/** What a cluster is held against. */
export interface Goal {
  readonly slo: Slo;
  /** For slowdowns. */
  readonly alone?: Alone;
  /** Requests that come earlier do not count; default 0. Seconds. */
  readonly from?: number;
}

export interface Verdict {
  readonly met: boolean;
  /** What was found at each limit; where it was decided early, infinite at a limit that is missed. */
  readonly findings: readonly SloFinding[];
}

export interface TrialOptions {
  readonly seed?: number;
  /** Called now and then, so that others get a turn; what it throws ends the trial. */
  readonly turn?: () => Promise<void>;
}

/** Events between two looks at how many have missed. */
const EVENTS = 5000;

/**
 * Whether requests are served within an SLO. A run that can no longer meet it is given up: as soon as more requests have
 * missed a limit, or wait for longer than it, than may.
 */
export async function trial(
  cluster: Cluster,
  requests: readonly SimulatedRequest[],
  { slo, alone, from = 0 }: Goal,
  { seed, turn }: TrialOptions = {},
): Promise<Verdict> {
  const run = beginSimulation(cluster, requests, { seed, keepTokens: false });
  // When the first token counts is certain with the second one only, where a transfer delays it.
  const settled = cluster.transfer?.firstTokenAt === 'decode' ? 2 : 1;
  const counts = ({ arrival }: SimulatedRequest): boolean => arrival >= from;
  const total = from === 0 ? requests.length : requests.filter(counts).length;
  const misses = slo.limits.map((limit) => new Misses(limit, slo, alone, { total, settled, counts }));
  while (run.advance(EVENTS)) {
    await turn?.();
    const { traces } = run.result();
    if (!misses.some((each) => each.beyond(traces, run.now))) continue;
    const findings = misses.map(({ limit, isBeyond }) => ({
      ...limit,
      found: isBeyond ? Infinity : 0,
      met: !isBeyond,
    }));
    return { met: false, findings };
  }
  const { traces } = run.result();
  const endless = overloaded(traces);
  const findings = judge(slo, from === 0 ? traces : traces.filter(({ request }) => counts(request)), alone).map(
    (finding) => (endless ? { ...finding, found: Infinity, met: false } : finding),
  );
  return { met: findings.every(({ met }) => met), findings };
}

/** Which requests count, how many they are, and from how many tokens on the time of the first one is certain. */
interface Counting {
  readonly total: number;
  readonly settled: number;
  readonly counts: (request: SimulatedRequest) => boolean;
}

/** Requests that have missed one limit, counted as they come. */
class Misses {
  isBeyond = false;
  #missed = 0;
  /** Places of requests, in order of arrival, of which nothing is decided yet. */
  #open: number[] = [];
  #seen = 0;
  readonly #most: number;
  /** Tokens from which the time of the first one is certain. */
  readonly #settled: number;

  readonly #slo: Slo;
  readonly #alone: Alone | undefined;
  readonly #counts: Counting['counts'];

  constructor(
    readonly limit: SloLimit,
    slo: Slo,
    alone: Alone | undefined,
    { total, settled, counts }: Counting,
  ) {
    this.#counts = counts;
    this.#slo = slo;
    this.#settled = settled;
    this.#alone = alone;
    // Quantiles lie between two requests, so one more is let pass.
    this.#most = (1 - limit.percent / 100) * total + 2;
  }

  /** Whether more have missed than may. @param now seconds */
  beyond(traces: readonly RequestTrace[], now: number): boolean {
    for (; this.#seen < traces.length; this.#seen++) {
      if (this.#counts(traces[this.#seen].request)) this.#open.push(this.#seen);
    }
    this.#open = this.#open.filter((at) => {
      const missed = this.#decided(traces[at], now);
      if (missed === true) this.#missed++;
      return missed === undefined;
    });
    return (this.isBeyond = this.#missed > this.#most);
  }

  /** Whether a request has missed the limit; undefined as long as that is open. */
  #decided(trace: RequestTrace, now: number): boolean | undefined {
    const { request, status, tokens } = trace;
    if (status === 'aborted') return false;
    if (status === 'refused') return true;
    const { measure, most } = this.limit;
    const limit = this.#slo.kind === 'ms' ? most / 1000 : most * this.#alone!(request)[measure];
    switch (measure) {
      case 'ttft':
        if (tokens.count >= Math.min(this.#settled, request.outputTokens)) return trace.ttft > limit;
        return now - request.arrival > limit ? true : undefined;
      case 'e2e':
        if (status === 'completed') return trace.e2e > limit;
        return now - request.arrival > limit ? true : undefined;
      case 'tbt':
        if (status === 'completed') return trace.tpot > limit;
        if (tokens.count < this.#settled) return undefined;
        return (now - tokens.first) / Math.max(1, request.outputTokens - 1) > limit ? true : undefined;
    }
  }
}

import { isGood, type Goals } from './goodput.js';
import type { MeasureName, ServeMetrics } from './metrics.js';
import type { LoadRecord, RequestRecord, RequestStatus } from './record.js';
import { NumberList } from './number-list.js';
import { MeasureSamples } from './measure-samples.js';

/** What of a request is summed up, in milliseconds. */
export type TalliedRequest = Omit<RequestRecord, 'index' | 'arrivalsMs' | 'counts' | 'finish' | 'error'> & {
  /** From when it was sent until its first token and its last; any number where there is none. */
  readonly ttft: number;
  readonly e2el: number;
};

/** Sums up runs as they come, request by request, in a few numbers each. */
export class LoadTally {
  readonly #counts: Record<RequestStatus, number> = { completed: 0, aborted: 0, failed: 0, interrupted: 0 };
  readonly #measures: Readonly<Record<MeasureName, MeasureSamples>>;
  readonly #late = new MeasureSamples(Infinity);
  readonly #goals: Goals | undefined;
  #good = 0;
  #planned = 0;
  #milliseconds = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #wastedTokens = 0;
  #most = { tokens: 0, requests: 0 };
  /** Of the run that is being summed up: tokens by second, and when requests began and ended. */
  readonly #seconds = new Map<number, number>();
  readonly #begins = new NumberList();
  readonly #ends = new NumberList();

  /** @param gaps what they are collected in; by default each is kept, however many there are */
  constructor({
    goals,
    gaps = new MeasureSamples(Infinity),
  }: { readonly goals?: Goals; readonly gaps?: MeasureSamples } = {}) {
    this.#goals = goals;
    const all = (): MeasureSamples => new MeasureSamples(Infinity);
    this.#measures = { ttft: all(), tpot: all(), itl: gaps, e2el: all() };
  }

  /** Latencies and throughput are those of completed requests, as in vLLM's harness. */
  request({ status, promptTokens, outputTokens, scheduledMs, sentMs, endMs, ttft, e2el }: TalliedRequest): void {
    this.#counts[status]++;
    this.#late.add(sentMs - scheduledMs);
    this.#begins.push(sentMs);
    this.#ends.push(sentMs + endMs);
    if (status !== 'completed') {
      this.#wastedTokens += outputTokens;
      return;
    }
    this.#inputTokens += promptTokens;
    this.#outputTokens += outputTokens;
    // (E2E - TTFT) / (n - 1); a single token has none.
    const tpot = outputTokens > 1 ? (e2el - ttft) / (outputTokens - 1) : undefined;
    this.#measures.ttft.add(ttft);
    this.#measures.e2el.add(e2el);
    if (tpot !== undefined) this.#measures.tpot.add(tpot);
    if (this.#goals !== undefined && isGood({ ttft, tpot, e2el }, this.#goals)) this.#good++;
  }

  /**
   * The tokens of a request of the run. Tokens that came together count as one arrival, as in vLLM's harness.
   *
   * @param arrivalsMs since it was sent @param counts how many at each; one each where absent
   */
  tokens(
    { status, sentMs }: Pick<RequestRecord, 'status' | 'sentMs'>,
    arrivalsMs: readonly number[],
    counts?: readonly number[],
  ): void {
    // They come in order, so a second is looked up once for all its tokens.
    let [second, tokens] = [NaN, 0];
    for (let at = 0; at < arrivalsMs.length; at++) {
      if (at > 0 && status === 'completed') this.#measures.itl.add(arrivalsMs[at] - arrivalsMs[at - 1]);
      const now = Math.floor((sentMs + arrivalsMs[at]) / 1000);
      if (now !== second) {
        this.#note(second, tokens);
        [second, tokens] = [now, 0];
      }
      tokens += counts?.[at] ?? 1;
    }
    this.#note(second, tokens);
  }

  /** All of a run was told; the next begins at 0 again, and its duration is added. */
  endRun({ planned, durationMs }: Pick<LoadRecord, 'planned' | 'durationMs'>): void {
    this.#planned += planned;
    this.#milliseconds += durationMs;
    for (const tokens of this.#seconds.values()) this.#most.tokens = Math.max(this.#most.tokens, tokens);
    this.#most.requests = Math.max(this.#most.requests, mostAtOnce(this.#begins.sorted(), this.#ends.sorted()));
    this.#seconds.clear();
    this.#begins.clear();
    this.#ends.clear();
  }

  metrics(percentiles: readonly number[]): ServeMetrics {
    const { ttft, tpot, itl, e2el } = this.#measures;
    const seconds = this.#milliseconds / 1000;
    const rate = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
    const told = Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
    const late = this.#late.summary([99]);
    return {
      durationS: seconds,
      count: { ...this.#counts, unsent: this.#planned - told },
      planned: this.#planned,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      wastedTokens: this.#wastedTokens,
      requestsPerS: rate(this.#counts.completed),
      goodPerS: this.#goals && rate(this.#good),
      outputTokensPerS: rate(this.#outputTokens),
      peakOutputTokensPerS: this.#most.tokens,
      peakConcurrency: this.#most.requests,
      totalTokensPerS: rate(this.#inputTokens + this.#outputTokens),
      measures: {
        ttft: ttft.summary(percentiles),
        tpot: tpot.summary(percentiles),
        itl: itl.summary(percentiles),
        e2el: e2el.summary(percentiles),
      },
      lateness: { median: late?.median ?? 0, p99: late?.percentiles[0][1] ?? 0 },
    };
  }

  #note(second: number, tokens: number): void {
    if (tokens > 0) this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + tokens);
  }
}

/** Most requests under way at one moment; one that ends when another begins makes room for it. */
function mostAtOnce(begins: Float64Array, ends: Float64Array): number {
  let [ended, most] = [0, 0];
  for (let begun = 0; begun < begins.length; begun++) {
    while (ends[ended] <= begins[begun]) ended++;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}

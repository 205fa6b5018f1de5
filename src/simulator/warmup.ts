import type { Simulation } from './outcome.js';
import type { RequestTrace } from './request.js';

/** What of the beginning does not count: nothing, what the rule MSER-5 says, or what comes in so many seconds. */
export type Warmup = 'none' | 'mser-5' | number;

export const WARMUP_WANTED = 'none, mser-5 or a number of seconds';

/** Reads a rule; undefined where it is none. */
export function readWarmup(text: string): Warmup | undefined {
  if (text === 'none' || text === 'mser-5') return text;
  const seconds = text.trim() === '' ? NaN : Number(text);
  return seconds >= 0 && seconds < Infinity ? seconds : undefined;
}

/** What was cut: the first requests to come. They are served all the same, and loads of machines have them in. */
export interface WarmupCut {
  readonly requests: number;
  /** When the first request came that counts; 0 where nothing is cut. */
  readonly seconds: number;
  /** Why the rule cut nothing, where it could not be applied. */
  readonly refused?: string;
}

const NOTHING: WarmupCut = { requests: 0, seconds: 0 };
/** Requests whose mean is one value of the rule. */
const BATCH = 5;
/** Fewer means are no series. */
const FEWEST = 20;

/** @param traces in order of arrival */
export function warmupOf(traces: readonly RequestTrace[], warmup: Warmup): WarmupCut {
  if (warmup === 'none') return NOTHING;
  if (warmup === 'mser-5') return steadyFrom(traces);
  const found = traces.findIndex(({ request }) => request.arrival >= warmup);
  const requests = found < 0 ? traces.length : found;
  return requests === 0 ? NOTHING : { requests, seconds: warmup };
}

/** What counts of a run: its later requests, and the time from the first of them on. */
export const counted = <Run extends Pick<Simulation, 'traces' | 'duration'>>(run: Run, cut: WarmupCut): Run =>
  cut.requests === 0
    ? run
    : { ...run, traces: run.traces.slice(cut.requests), duration: Math.max(0, run.duration - cut.seconds) };

/**
 * MSER-5 (White, Cobb and Spratt 2000) of how many requests are under way when each arrives: of the means of five that
 * follow each other, as many are cut at the beginning as make the standard error of the mean of the rest least. Where
 * that would be half of them or more the run is too short to tell.
 */
function steadyFrom(traces: readonly RequestTrace[]): WarmupCut {
  const series = underWay(traces);
  const means = Math.floor(series.length / BATCH);
  const refuse = (refused: string): WarmupCut => ({ ...NOTHING, refused });
  if (means < FEWEST) return refuse(`it takes ${BATCH * FEWEST} requests to tell`);
  const mean = (at: number): number => {
    let sum = 0;
    for (let each = BATCH * at; each < BATCH * (at + 1); each++) sum += series[each];
    return sum / BATCH;
  };
  const half = Math.floor(means / 2);
  let [best, least] = [0, Infinity];
  // Mean and squared distances of those from a place on, grown from the end (Welford 1962).
  let [middle, squares] = [0, 0];
  for (let at = means - 1; at >= 0; at--) {
    const value = mean(at);
    const count = means - at;
    const from = value - middle;
    middle += from / count;
    squares += from * (value - middle);
    const error = squares / count ** 2;
    if (at <= half && error <= least) [best, least] = [at, error];
  }
  if (best === half) return refuse('the load was still settling at half of the run');
  const requests = BATCH * best;
  return best === 0 ? NOTHING : { requests, seconds: traces[requests].request.arrival };
}

/** Requests that are in the system when each comes, itself not among them. */
function underWay(traces: readonly RequestTrace[]): Float64Array {
  const ends = Float64Array.from(traces.flatMap(({ end }) => (Number.isNaN(end) ? [] : end))).sort();
  let [entered, left] = [0, 0];
  return Float64Array.from(traces, ({ request, status }) => {
    while (left < ends.length && ends[left] <= request.arrival) left++;
    const inside = entered - left;
    if (status !== 'refused') entered++;
    return inside;
  });
}

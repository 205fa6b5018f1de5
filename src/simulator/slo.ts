import { RidgepointError } from '../errors.js';
import { quantile } from '../statistics.js';
import type { RequestTrace, SimulatedRequest } from './request.js';

export const SLO_MEASURES = ['ttft', 'tbt', 'e2e'] as const;
/** `tbt` is the mean gap of a request, (E2E - TTFT) / (n - 1), as published SLOs have it. */
export type SloMeasure = (typeof SLO_MEASURES)[number];

/** One limit: so many percent of requests stay below it. */
export interface SloLimit {
  readonly measure: SloMeasure;
  readonly percent: number;
  /** Milliseconds, or how many times as long as the same request alone on the reference machine. */
  readonly most: number;
}

export interface Slo {
  readonly name: string;
  readonly kind: 'ms' | 'slowdown';
  readonly limits: readonly SloLimit[];
}

const spad = (name: string, ttft90: number, tbt90: number, ttft99: number, tbt99: number): Slo => ({
  name: `spad:${name}`,
  kind: 'slowdown',
  limits: [
    { measure: 'ttft', percent: 90, most: ttft90 },
    { measure: 'tbt', percent: 90, most: tbt90 },
    { measure: 'ttft', percent: 99, most: ttft99 },
    { measure: 'tbt', percent: 99, most: tbt99 },
  ],
});

/** SPAD's Table 5, and Splitwise's (Patel et al., ISCA 2024, Table VI). */
const SETS: readonly Slo[] = [
  spad('loose', 4, 2.5, 8, 6),
  spad('normal', 3, 2, 6, 5),
  spad('tight', 2, 1.5, 4, 3),
  {
    name: 'splitwise',
    kind: 'slowdown',
    limits: (['ttft', 'tbt', 'e2e'] as const).flatMap((measure) =>
      ([50, 90, 99] as const).map((percent, at) => ({
        measure,
        percent,
        most: (measure === 'ttft' ? [2, 3, 6] : [1.25, 1.5, 5])[at],
      })),
    ),
  },
];

const SLO_NAMES = SETS.map(({ name }) => name);

/** What an SLO is written as, after "must be". */
export const SLO_WANTED = `one of ${SLO_NAMES.join(', ')}, or limits in ms such as ttft:p90:500,tbt:p99:50`;

/** The SLO of a text that has to be one. @throws RidgepointError */
export function parseSlo(text: string): Slo {
  const found = readSlo(text);
  if (found !== undefined) return found;
  throw new RidgepointError('usage', `an SLO must be ${SLO_WANTED}, found ${JSON.stringify(text)}`);
}

/** Reads `spad:normal`, or limits in milliseconds such as `ttft:p90:500,tbt:p99:50`; undefined where it is neither. */
export function readSlo(text: string): Slo | undefined {
  const known = SETS.find(({ name }) => name === text);
  if (known !== undefined) return known;
  const limits = text.split(',').map((part): SloLimit | undefined => {
    const [name, percentile, limit, ...rest] = part.split(':');
    const measure = SLO_MEASURES.find((each) => each === name);
    const percent = Number(/^p(\d+(?:\.\d+)?)$/.exec(percentile ?? '')?.[1]);
    const most = Number(limit);
    if (measure === undefined || rest.length > 0 || !(percent > 0 && percent < 100) || !(most > 0)) return undefined;
    return { measure, percent, most };
  });
  if (!limits.every((limit) => limit !== undefined)) return undefined;
  return { name: text, kind: 'ms', limits };
}

/** Seconds of a request alone: what slowdowns are relative to. */
export type Alone = (request: SimulatedRequest) => Readonly<Record<SloMeasure, number>>;

/** A limit with what was found. */
export interface SloFinding extends SloLimit {
  readonly found: number;
  readonly met: boolean;
}

/**
 * Holds what became of requests against an SLO. A request that was refused or never ended meets nothing.
 *
 * @param alone for slowdowns; the request's times alone on the reference machine
 */
export function judge(slo: Slo, traces: readonly RequestTrace[], alone?: Alone): SloFinding[] {
  return slo.limits.map((limit) => {
    const values = traces.flatMap((trace) => {
      if (trace.status === 'aborted') return [];
      if (trace.status !== 'completed') return [Infinity];
      const seconds = { ttft: trace.ttft, tbt: trace.tpot, e2e: trace.e2e }[limit.measure];
      if (Number.isNaN(seconds)) return []; // one token has no gap
      return [slo.kind === 'ms' ? 1000 * seconds : seconds / alone!(trace.request)[limit.measure]];
    });
    values.sort((a, b) => a - b);
    // Between two that never ended nothing can be interpolated.
    const found =
      values.length === 0
        ? 0
        : values.at(-1) === Infinity
          ? nearest(values, limit.percent)
          : quantile(values, limit.percent / 100);
    return { ...limit, found, met: found <= limit.most };
  });
}

/** Whether a request that completed meets every limit, of several on one measure the loosest. */
export function isGood(trace: RequestTrace, { kind, limits }: Slo, alone?: Alone): boolean {
  return SLO_MEASURES.every((measure) => {
    const own = limits.filter((limit) => limit.measure === measure);
    const seconds = { ttft: trace.ttft, tbt: trace.tpot, e2e: trace.e2e }[measure];
    if (own.length === 0 || Number.isNaN(seconds)) return true;
    const most = Math.max(...own.map((limit) => limit.most));
    return (kind === 'ms' ? 1000 * seconds : seconds / alone!(trace.request)[measure]) <= most;
  });
}

const nearest = (sorted: readonly number[], percent: number): number =>
  sorted[Math.ceil((percent / 100) * sorted.length) - 1];

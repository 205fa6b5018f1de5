import { quantile } from '../../src/statistics.js';
import type { ServeResult } from '../serve/schema.js';

type Requests = ServeResult['runs'][number]['requests'];

/** What users of one run felt, in milliseconds. */
export interface Felt {
  readonly completed: number;
  readonly ttft: { readonly p50: number; readonly p99: number };
  readonly itl: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Requests with a first token within `GOOD.ttft` and 99 % of their gaps within `GOOD.itl`. */
  readonly good: number;
}

export const GOOD = { ttft: 1000, itl: 50 };

const of = (values: readonly number[], share: number): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    share,
  );

/** @throws Error where no request completed */
export function felt(requests: Requests): Felt {
  const completed = requests.filter(({ status, arrivals_ms }) => status === 'completed' && arrivals_ms.length > 0);
  if (completed.length === 0) throw new Error('no request completed');
  const gapsOf = ({ arrivals_ms }: Requests[number]): number[] =>
    arrivals_ms.slice(1).map((ms, at) => ms - arrivals_ms[at]);
  const ttfts = completed.map(({ arrivals_ms }) => arrivals_ms[0]);
  const gaps = completed.flatMap(gapsOf);
  const good = completed.filter((request) => {
    const own = gapsOf(request);
    return request.arrivals_ms[0] <= GOOD.ttft && (own.length === 0 || of(own, 0.99) <= GOOD.itl);
  });
  return {
    completed: completed.length,
    ttft: { p50: of(ttfts, 0.5), p99: of(ttfts, 0.99) },
    itl: { p50: of(gaps, 0.5), p99: of(gaps, 0.99), max: gaps.reduce((most, gap) => Math.max(most, gap), 0) },
    good: good.length,
  };
}

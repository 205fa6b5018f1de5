import type { Simulation } from './outcome.js';
import type { PoolSummary } from './summary.js';

export type Bind = 'compute' | 'memory' | 'network' | 'queue';

/** Where the time of requests goes, means of those that completed. Seconds. */
export interface Whereabouts {
  /** Until the first chunk of the prompt is computed. */
  readonly queue: number;
  readonly prefill: number;
  /** From the first token until keys and values are where decoding happens. */
  readonly transfer: number;
  readonly decode: number;
}

export function whereaboutsOf({ traces }: Pick<Simulation, 'traces'>): Whereabouts {
  let [queue, prefill, transfer, decode, count] = [0, 0, 0, 0, 0];
  for (const { request, status, firstRun, tokens, transferred, made } of traces) {
    if (status !== 'completed') continue;
    const arrived = Number.isNaN(transferred) ? made : Math.max(transferred, made);
    count++;
    queue += firstRun - request.arrival;
    prefill += made - firstRun;
    transfer += arrived - made;
    decode += tokens.last - arrived;
  }
  const mean = (sum: number): number => (count > 0 ? sum / count : 0);
  return { queue: mean(queue), prefill: mean(prefill), transfer: mean(transfer), decode: mean(decode) };
}

/**
 * What most of a request's time is spent on: waiting, a transfer, or the phase that takes longest, which is bound by what
 * binds the steps of the machines that do it. Undefined where their work is not known, or nothing was served.
 *
 * @param pools in the order of `roles`
 */
export function bindOf(
  { queue, prefill, transfer, decode }: Whereabouts,
  pools: readonly PoolSummary[],
  roles: readonly string[],
): Bind | undefined {
  const most = Math.max(queue, prefill, transfer, decode);
  if (most === 0) return undefined;
  if (most === queue) return 'queue';
  if (most === transfer) return 'network';
  const other = most === prefill ? 'decode' : 'prefill';
  return pools.find((_, at) => roles[at] !== other)?.binds;
}

import { Gauge, type Registry } from 'prom-client';
import type { RouterCounts } from '../../../cluster/router-counts.js';
import { countersOf } from '../serve/counted.js';

/** Shows whether the NATS server is there, and what other routers have left to this one. */
export function showControl(
  registry: Registry,
  {
    isConnected,
    takenOver,
    takenOverIds,
    gaps,
  }: Record<'takenOver' | 'takenOverIds' | 'gaps', () => number> & { readonly isConnected: () => boolean },
): void {
  const { counter } = countersOf(registry);
  counter(
    'block_event_gaps_total',
    'Times that a worker was asked for all its blocks since a message was missed',
    gaps,
  );
  counter('requests_taken_over_total', 'Requests of other routers that were answered here', takenOver);
  counter('tokens_taken_over_total', 'Their tokens that were there already', takenOverIds);
  new Gauge({
    name: 'ridgepoint_control_connected',
    help: 'Whether there is a connection to the NATS server',
    registers: [registry],
    collect() {
      this.set(isConnected() ? 1 : 0);
    },
  });
}

/** Shows what has become of requests that workers answer. */
export function showRouter(registry: Registry, counts: RouterCounts): void {
  const { counter, byReason } = countersOf(registry);
  counter('attempts_total', 'Times that a worker was given a choice', () => counts.attempts);
  byReason('attempts_lost_total', 'Those that came to nothing, by reason', () => counts.lost);
  counter('recoveries_total', 'Choices that went on elsewhere', () => counts.recoveries);
  counter('recovery_seconds_total', 'Time until they had their next token', () => counts.recoveryMs / 1000);
  counter('index_gaps_total', 'Times that tokens in between were missing', () => counts.gaps);
  counter('role_moves_total', 'Workers that were moved from one phase to the other', () => counts.moves);
  counter('kv_transfers_total', 'Prompts computed by another worker', () => counts.transfers);
  counter('kv_transfer_bytes_total', 'Bytes of keys and values between workers', () => counts.transferBytes);
  counter('kv_transfer_wait_seconds_total', 'Time until they had come', () => counts.transferMs / 1000);
  byReason('kv_transfer_fallbacks_total', 'Prompts not computed elsewhere after all', () => counts.fallbacks);
}

import { Gauge, type Registry } from 'prom-client';
import type { TransferCounts } from '../../../cluster/counts.js';
import { countersOf } from './counted.js';

/** Shows what has become of transfers of keys and values. @param reserved blocks set aside for them now */
export function showTransfers(registry: Registry, counts: TransferCounts, reserved: () => number): void {
  const { counter, byReason } = countersOf(registry);
  counter('kv_transfers_total', 'Prompts whose keys and values were asked for elsewhere', () => counts.transfers);
  counter('kv_transfer_bytes_total', 'Bytes of keys and values that came from elsewhere', () => counts.bytes);
  counter('kv_transfer_wait_seconds_total', 'Time that requests have waited for them', () => counts.waitedMs / 1000);
  byReason(
    'kv_transfer_fallbacks_total',
    'Prompts of which some was computed here after all, by reason',
    () => counts.fallbacks,
  );
  new Gauge({
    name: 'ridgepoint_kv_reserved_blocks',
    help: 'Blocks of the KV cache set aside for keys and values from elsewhere',
    registers: [registry],
    collect() {
      this.set(reserved());
    },
  });
}

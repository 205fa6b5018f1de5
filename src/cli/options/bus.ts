import { RidgepointError } from '../../errors.js';
import { NatsBus, type NatsBusOptions } from '../../platform/node/nats/nats-bus.js';
import { natsUrlOf, type NatsUrl } from '../../platform/node/nats/nats-url.js';

/**
 * A connection to the NATS server that was asked for, by a flag or by `RIDGEPOINT_CLUSTER`, which a list of processes
 * does not show.
 *
 * @returns undefined where none was
 * @throws RidgepointError for a variable that names none
 */
export function openBus(flag: NatsUrl | undefined, options: NatsBusOptions): NatsBus | undefined {
  const variable = process.env.RIDGEPOINT_CLUSTER ?? '';
  const url = flag ?? (variable === '' ? undefined : natsUrlOf(variable));
  if (url !== undefined) return new NatsBus(url, options);
  if (variable === '') return undefined;
  throw new RidgepointError('usage', 'RIDGEPOINT_CLUSTER is no NATS server; write it as nats://HOST:PORT');
}

import { RidgepointError } from '../../errors.js';
import { NatsBus, type NatsBusOptions } from '../../platform/node/nats/nats-bus.js';
import { natsUrlOf, type NatsUrl } from '../../platform/node/nats/nats-url.js';
import { option, words } from '../../wording.js';
import type { FlagsIn } from './command-table.js';
import type { CONTROL } from './control.js';
import { readTls } from './wire.js';

type ControlFlags = FlagsIn<typeof CONTROL> & { readonly cluster?: NatsUrl };

/**
 * A connection to the NATS server that was asked for, by a flag or by `RIDGEPOINT_CLUSTER`, which a list of processes
 * does not show.
 *
 * @returns undefined where none was
 * @throws RidgepointError for a variable that names none, and for certificates that cannot be used
 */
export async function openBus(flags: ControlFlags, options: Omit<NatsBusOptions, 'tls'>): Promise<NatsBus | undefined> {
  const variable = process.env.RIDGEPOINT_CLUSTER ?? '';
  const url = flags.cluster ?? (variable === '' ? undefined : natsUrlOf(variable));
  if (url === undefined) {
    if (variable === '') return undefined;
    throw new RidgepointError('usage', 'RIDGEPOINT_CLUSTER is no NATS server; write it as nats://HOST:PORT');
  }
  const { natsTlsCert: cert, natsTlsKey: key, natsTlsCa: ca } = flags;
  const tls = await readTls({ cert, key, ca }, NAMES);
  if (tls !== undefined && !url.isTls) {
    const given = NAMES[ca !== undefined ? 'ca' : 'cert'];
    throw new RidgepointError(
      'usage',
      words`${option(given)} is for a NATS server at tls://, and ${url.shown} is none`,
    );
  }
  return new NatsBus(url, { ...options, tls });
}

const NAMES = { cert: 'control.natsTlsCert', key: 'control.natsTlsKey', ca: 'control.natsTlsCa' } as const;

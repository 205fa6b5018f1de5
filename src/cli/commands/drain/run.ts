import { drainWorkers } from '../../../cluster/control/drain.js';
import { RidgepointError } from '../../../errors.js';
import type { NatsBus } from '../../../platform/node/nats/nats-bus.js';
import { option, words } from '../../../wording.js';
import { openBus } from '../../options/bus.js';
import { closeAtExit, EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import type { DrainFlags } from './command.js';

/** How long the NATS server may take to answer, in milliseconds. */
const CONNECT_MS = 5000;

/**
 * Has workers end when they have finished what they have, and waits until they are gone.
 *
 * @param workers their addresses
 * @returns the exit code
 * @throws RidgepointError where the NATS server or a worker is not there, or one has not gone in time
 */
export async function drain(workers: readonly string[], flags: DrainFlags): Promise<number> {
  const { quiet = false, timeout } = flags;
  const tell = (what: string): void => {
    if (!quiet) remark(what);
  };
  const bus = await openBus(flags, { name: 'ridgepoint drain' });
  if (bus === undefined) {
    throw new RidgepointError('usage', words`workers are told by a NATS server; give ${option('drain.cluster')}`);
  }
  closeAtExit(() => bus.close());
  await reached(bus);
  const late = new AbortController();
  const timer = timeout === undefined ? undefined : setTimeout(() => late.abort(), timeout * 1000);
  try {
    await drainWorkers(bus, [...new Set(workers)], { tell, signal: AbortSignal.any([stopSignal, late.signal]) });
  } catch (error) {
    if (!late.signal.aborted || stopSignal.aborted) throw error;
    throw new RidgepointError(
      'worker',
      words`not all have gone within ${timeout!} s; they still finish what they have, ask again with a longer ${option('drain.timeout')}`,
    );
  } finally {
    clearTimeout(timer);
  }
  return EXIT.ok;
}

/** @throws RidgepointError where the server is not there, or refuses */
async function reached(bus: NatsBus): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const why = words`the NATS server does not answer; is it there? check ${option('drain.cluster')}`;
    timer = setTimeout(() => reject(new RidgepointError('worker', why)), CONNECT_MS);
  });
  await Promise.race([bus.connection(), late]).finally(() => clearTimeout(timer));
}

import { RidgepointError } from '../../errors.js';
import type { Order } from './announcement.js';
import { SUBJECTS, type ControlBus } from './bus.js';
import { Discovery } from './discovery.js';

/** How often it is looked what has become of workers, and they are told again, in milliseconds. */
const LOOK_MS = 200;
/** A worker that has not told of itself by then is not there, in milliseconds; each is asked to, and does so twice a second. */
const FOUND_MS = 2000;

export interface DrainOptions {
  /** Told what becomes of each, a sentence each. */
  readonly tell: (what: string) => void;
  /** Ends the waiting; who has been told goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Has workers take nothing new and end when they have finished what they have; resolves when all are gone.
 *
 * @param workers their addresses, as text
 * @throws RidgepointError where one of them is not heard of, before any is told; the signal's reason where it is aborted
 */
export async function drainWorkers(
  bus: ControlBus,
  workers: readonly string[],
  { tell, signal }: DrainOptions,
): Promise<void> {
  const ignore = (): void => undefined;
  const discovery = new Discovery(bus, {
    ...{ found: ignore, changed: ignore, heard: ignore, lost: ignore },
    // Nothing but its announcements says that it is there.
    isThere: () => false,
  });
  const { members } = discovery;
  const pause = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    signal?.throwIfAborted();
  };
  try {
    const until = performance.now() + FOUND_MS;
    while (workers.some((worker) => members.get(worker) === undefined)) {
      if (performance.now() > until) throw notHeardOf(workers, discovery);
      await pause();
    }
    const wait = async (worker: string): Promise<void> => {
      const { epoch } = members.get(worker)!;
      for (let isTold = false; ; await pause()) {
        const now = members.get(worker);
        // Another process may have come under its name.
        if (now?.epoch !== epoch) return tell(`${worker} has gone`);
        if (now.state === 'up') bus.publish(SUBJECTS.order, { worker, epoch, order: 'drain' } satisfies Order);
        else if (!isTold) {
          isTold = true;
          tell(`${worker} takes nothing new and finishes what it has`);
        }
      }
    };
    await Promise.all(workers.map(wait));
  } finally {
    discovery.close();
  }
}

function notHeardOf(workers: readonly string[], { members }: Discovery): RidgepointError {
  const unknown = workers.filter((worker) => members.get(worker) === undefined).join(', ');
  const known = members.all.map(({ worker }) => worker).sort();
  const others =
    known.length === 0 ? 'no worker tells of itself there' : `those that tell of themselves are ${known.join(', ')}`;
  return new RidgepointError('worker', `nothing is heard of ${unknown}, and nobody is told to end; ${others}`);
}

import { RidgepointError } from '../../errors.js';
import type { BrowserEngineOptions, EnginePlace } from './api.js';
import type { EngineCalls } from './calls.js';
import type * as EngineModule from './worker.js';
import type { FirstMessage } from './worker.js';
import { WireClient } from './wire.js';

type Wire = WireClient<EngineCalls>;

/** How long a worker may take to answer before it is taken for one that never will, in milliseconds. */
const ANSWER_MS = 60_000;

/** Where an engine was put, and the wire to it. */
export interface EngineSeat {
  readonly place: EnginePlace;
  readonly wire: Wire;
  /** Whether its code came as a text, so that it can load nothing by itself. */
  readonly ofText: boolean;
  /** Ends what was started for this page alone. */
  leave(): void;
}

type Where = Pick<BrowserEngineOptions, 'worker' | 'workerUrl'>;

/**
 * Finds an engine a place: in a shared worker, a worker or the page, as asked; in a worker, too, where a shared one
 * cannot be had or has no WebGPU.
 *
 * @param shareAs what tabs that share an engine have in common
 * @throws RidgepointError ('internal') where a worker does not start
 */
export async function findSeat(where: Where, shareAs: string): Promise<EngineSeat> {
  if (where.worker === 'shared') {
    const shared = await sharedSeat(where, shareAs);
    if (shared !== undefined) return shared;
  }
  return where.worker === false ? pageSeat(where) : workerSeat(where);
}

async function sharedSeat({ workerUrl }: Where, name: string): Promise<EngineSeat | undefined> {
  if (typeof SharedWorker === 'undefined' || !('locks' in navigator)) return undefined;
  // Bundlers know this very expression and bring the file along.
  const worker =
    workerUrl === undefined
      ? new SharedWorker(new URL('./ridgepoint-worker.js', import.meta.url), { type: 'module', name })
      : new SharedWorker(workerUrl, { type: 'module', name });
  const lock = await holdLock();
  const wire: Wire = new WireClient(worker.port);
  const leave = (): void => {
    lock.release();
    wire.break(new RidgepointError('usage', 'the engine was disposed; load another'));
  };
  try {
    const { gpu } = await answered(wire, worker, lock.name);
    if (gpu) return { place: 'shared worker', wire, leave, ofText: false };
  } catch {
    // One that cannot be had is as good as one without WebGPU.
  }
  leave();
  return undefined;
}

/** A lock that ends with this tab, by which others see that it has. */
async function holdLock(): Promise<{ readonly name: string; release: () => void }> {
  const name = `ridgepoint ${crypto.randomUUID()}`;
  let release = (): void => undefined;
  await new Promise<void>((held) => {
    void navigator.locks.request(name, () => {
      held();
      return new Promise<void>((resolve) => (release = resolve));
    });
  });
  return { name, release };
}

async function workerSeat({ workerUrl }: Where): Promise<EngineSeat> {
  if (workerUrl !== undefined) return seatIn(new Worker(workerUrl, { type: 'module' }));
  try {
    return await fileSeat();
  } catch {
    // A bundler has not brought the file along, or a policy forbids it.
  }
  const { url, done } = await textUrl();
  try {
    return { ...(await seatIn(new Worker(url, { type: 'module' }))), ofText: true };
  } finally {
    done();
  }
}

/** In a worker of the file beside this module, which fetches what is rarely needed when it is. */
async function fileSeat(): Promise<EngineSeat> {
  let worker: Worker;
  try {
    // Bundlers know this very expression and bring the file along.
    worker = new Worker(new URL('./ridgepoint-worker.js', import.meta.url), { type: 'module' });
  } catch {
    // Of another host no worker can be made, but one that imports its code.
    const file = import.meta.url.replace(/[^/]*$/, 'ridgepoint-worker.js');
    const { url, done } = urlOf(`import ${JSON.stringify(file)};`);
    try {
      return await seatIn(new Worker(url, { type: 'module' }));
    } finally {
      done();
    }
  }
  return seatIn(worker);
}

async function seatIn(worker: Worker): Promise<EngineSeat> {
  const { port1, port2 } = new MessageChannel();
  const wire: Wire = new WireClient(port1);
  const leave = (): void => {
    worker.terminate();
    wire.break(new RidgepointError('usage', 'the engine was disposed; load another'));
  };
  worker.postMessage({ ridgepoint: port2 } satisfies FirstMessage, [port2]);
  try {
    await answered(wire, worker, undefined);
  } catch (error) {
    leave();
    throw error;
  }
  return { place: 'worker', wire, leave, ofText: false };
}

async function pageSeat({ workerUrl }: Where): Promise<EngineSeat> {
  const { url, done } = workerUrl === undefined ? await textUrl() : { url: workerUrl, done: () => undefined };
  try {
    // The build marks it as one that bundlers are to leave alone.
    const { serveHere } = (await import(String(url))) as typeof EngineModule;
    const { port1, port2 } = new MessageChannel();
    serveHere(port2);
    const wire: Wire = new WireClient(port1);
    const gone = new RidgepointError('usage', 'the engine was disposed; load another');
    return { place: 'page', wire, leave: () => wire.break(gone), ofText: workerUrl === undefined };
  } finally {
    done();
  }
}

/** The engine's code as a text, all of it, for where no file of it can be found. */
async function textUrl(): Promise<{ url: string; done: () => void }> {
  return urlOf((await import('./engine-text.js')).default);
}

function urlOf(text: string): { url: string; done: () => void } {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  return { url, done: () => URL.revokeObjectURL(url) };
}

/** Waits until a worker has answered. @throws RidgepointError where it cannot be started, says nothing, or fails */
async function answered(wire: Wire, worker: Worker | SharedWorker, lock: string | undefined) {
  const failed = new Promise<never>((_, reject) => {
    const refuse = (why: string): void =>
      reject(
        new RidgepointError(
          'internal',
          `the engine's worker did not start: ${why}; where a content security policy forbids workers made of text, give workerUrl`,
        ),
      );
    worker.addEventListener('error', (event) => refuse((event as ErrorEvent).message || 'its code was refused'), {
      once: true,
    });
    setTimeout(() => refuse('it did not answer'), ANSWER_MS);
  });
  failed.catch(() => undefined);
  const answer = await Promise.race([wire.call('hello', { lock }), failed]);
  // Later on it can only be a fault, which must not leave anybody waiting.
  worker.addEventListener('error', (event) => {
    wire.break(new RidgepointError('internal', `the engine's worker failed: ${(event as ErrorEvent).message}`));
  });
  return answer;
}

import type { InferenceServer } from '../../../server/server.js';
import { isParentsEnd } from './parent.js';
import { EXIT, onStopRequest, stopSignal, type Signal } from '../../run.js';
import { remark } from '../../terminal/style.js';

/** Of the time to finish, what is kept for telling clients, closing connections and freeing the GPU, in milliseconds. */
const CLOSING_MS = 2000;
/** How long the rest may take once requests are ended by hand or are done, in milliseconds. */
const PATIENCE = 4000;
/** How much later the process is killed, should even exiting hang. */
const LAST_MS = 1000;
/** A signal that comes again so soon is the same one: a terminal sends it to us, and so does npm that started us. */
const ECHO_MS = 25;

/**
 * Resolves when the server was told to stop and has. The first signal lets requests finish, the second ends them.
 * Whatever hangs, a driver or a log nobody reads, the process is gone when the time is up.
 *
 * @param seconds from the first signal to the end of the process
 */
export function untilStopped(server: InferenceServer, seconds: number, quiet: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const wholeMs = seconds * 1000;
    let signals = 0;
    let lastAt = -Infinity;
    const stop = (): void => {
      signals++;
      if (signals > 2) return;
      if (signals === 2) {
        server.abort();
        endWithin(PATIENCE);
        return;
      }
      if (!quiet) remark('Finishing what runs; a second signal ends it.');
      endWithin(wholeMs);
      server.shutdown(wholeMs - Math.min(CLOSING_MS, wholeMs / 2)).then(() => {
        endWithin(PATIENCE);
        resolve(EXIT.ok);
      }, reject);
    };
    onStopRequest((signal: Signal) => {
      const now = performance.now();
      if (now - lastAt < ECHO_MS || (isParentsEnd() && signals > 0)) return true;
      lastAt = now;
      server.app.log.info({ signal }, 'told to stop');
      stop();
      return signals <= 2;
    });
    if (stopSignal.aborted) stop();
    else stopSignal.addEventListener('abort', stop, { once: true });
  });
}

/** Ends the process after a while if it has not ended by then; it may hang in exiting, too. */
function endWithin(ms: number): void {
  setTimeout(() => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS);
    process.exit(EXIT.ok);
  }, ms).unref();
}

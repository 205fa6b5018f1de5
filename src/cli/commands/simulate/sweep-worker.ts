import { parentPort } from 'node:worker_threads';
import { RidgepointError } from '../../../errors.js';
import { runPoint, type SweepAnswer, type SweepTask } from './sweep-point.js';

/** A thread of a sweep: one point after the other, as it is asked. */
const port = parentPort!;
port.on('message', (task: SweepTask) => {
  runPoint(task).then(
    (outcome) => port.postMessage({ outcome } satisfies SweepAnswer),
    (error: unknown) => {
      // What is wrong with a point is an answer; what is wrong with us ends the thread.
      if (!(error instanceof RidgepointError)) throw error;
      port.postMessage({ error: error.message } satisfies SweepAnswer);
    },
  );
});

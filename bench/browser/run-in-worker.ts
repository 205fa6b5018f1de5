import type { BenchResult } from '../schema.js';
import type { BenchNews, BenchRequest, ToBenchWorker } from './bench-messages.js';

/**
 * Runs a benchmark in a worker of its own.
 *
 * @param told how far it has come
 * @param signal ends the run with what there is, which is then not complete
 * @throws Error in words
 */
export function runInWorker(
  request: BenchRequest,
  told: (news: Exclude<BenchNews, { result: unknown } | { error: unknown }>) => void,
  signal: AbortSignal,
): Promise<BenchResult> {
  const worker = new Worker(new URL('ridgepoint-bench.js', location.href), { type: 'module' });
  const send = (message: ToBenchWorker): void => worker.postMessage(message);
  const run = new Promise<BenchResult>((resolve, reject) => {
    signal.addEventListener('abort', () => send({ stop: true }), { once: true });
    worker.onerror = ({ message }) => reject(new Error(message || 'the worker that measures did not start'));
    worker.onmessage = ({ data }: MessageEvent<BenchNews>) => {
      if ('result' in data) resolve(data.result);
      else if ('error' in data) reject(new Error(data.error));
      else told(data);
    };
    send({ run: request });
  });
  return run.finally(() => worker.terminate());
}

import { createServer, type ServerResponse } from 'node:http';
import type { LoadProgress } from '../engine/api.js';
import { ApiError } from '../serving/errors.js';

/** How long clients are asked to wait, in seconds. */
const RETRY_AFTER = '2';
/** How long connections without a request, or with half of one, hold up the server that takes over, in milliseconds. */
const FAREWELL_MS = 250;

/** A port that is held while a model is loaded. */
export interface HeldPort {
  /** Whoever asks is told. */
  readonly report: (progress: LoadProgress) => void;
  /** Gives it back. */
  readonly release: () => Promise<void>;
}

/**
 * Holds a port while a model is loaded, so that a taken one is known before and a load balancer sees the server come:
 * whoever asks is told to come back, and how far loading is.
 *
 * @throws as a server's `listen`
 */
export async function holdPort(host: string, port: number): Promise<HeldPort> {
  /** The last of each stage, since several go on together. */
  const stages = new Map<LoadProgress['stage'], LoadProgress>();
  const server = createServer((_request, response) => answer(response, [...stages.values()]));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const release = (): Promise<void> =>
    new Promise((resolve) => {
      // Who has been heard gets the answer, which takes no time; who has not sent anything yet is not waited for.
      const impatient = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
      server.close(() => {
        clearTimeout(impatient);
        resolve();
      });
      server.closeIdleConnections();
    });
  return { report: (progress) => void stages.set(progress.stage, progress), release };
}

function answer(response: ServerResponse, stages: readonly LoadProgress[]): void {
  const far = stages.find(({ stage, total }) => stage === 'weights' && total > 0);
  const message = `the model is being loaded${far === undefined ? '' : `: ${Math.floor((100 * far.done) / far.total)} % of its weights`}`;
  const { error } = new ApiError(503, message, { code: 'loading' }).body();
  const progress = stages.map(({ stage, done, total, unit }) => ({ stage, done, total, unit }));
  const body = JSON.stringify({ status: 'loading', error, progress });
  response.writeHead(503, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'retry-after': RETRY_AFTER,
    connection: 'close',
  });
  response.end(body);
}

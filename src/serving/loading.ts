import { createServer, type ServerResponse } from 'node:http';
import { ApiError } from './errors.js';

/** How long clients are asked to wait, in seconds. */
const RETRY_AFTER = '2';
/** How long connections without a request, or with half of one, hold up the server that takes over, in milliseconds. */
const FAREWELL_MS = 250;

/**
 * Holds a port while a model is loaded, so that a taken one is known before and a load balancer sees the server come:
 * whoever asks is told to come back.
 *
 * @returns gives the port back
 * @throws as a server's `listen`
 */
export async function holdPort(host: string, port: number): Promise<() => Promise<void>> {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return () =>
    new Promise((resolve) => {
      // Who has been heard gets the answer, which takes no time; who has not sent anything yet is not waited for.
      const impatient = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
      server.close(() => {
        clearTimeout(impatient);
        resolve();
      });
      server.closeIdleConnections();
    });
}

function answer(response: ServerResponse): void {
  const body = JSON.stringify(new ApiError(503, 'the model is being loaded', { code: 'loading' }).body());
  response.writeHead(503, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'retry-after': RETRY_AFTER,
    connection: 'close',
  });
  response.end(body);
}

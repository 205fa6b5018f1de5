import { RidgepointError } from '../../../errors.js';

/** What a server's refusal means for whoever wants a file of it. */
function refusal(url: string, status: number): RidgepointError {
  const { host } = new URL(url);
  const what =
    status === 401 || status === 403
      ? `${host} refuses ${url} (${status}); the model may be gated: accept its terms there and give a token`
      : status >= 500
        ? `${host} fails on ${url} (${status}); try again later`
        : `${host} does not give ${url} (${status})`;
  return new RidgepointError('network', what);
}

const OFFLINE = 'this machine is offline';

/** Why an answer that had begun has no end. */
export function cutOff(url: string, cause: unknown): RidgepointError {
  const why = navigator.onLine ? 'try again later' : OFFLINE;
  return new RidgepointError('network', `${new URL(url).host} cuts ${url} off; ${why}`, { cause });
}

/** Whether a server answers at all: of another origin's answer a page may always know that there is one. */
async function answers(url: string, signal: RequestInit['signal']): Promise<boolean> {
  try {
    const { type } = await fetch(url, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal });
    return type === 'opaque';
  } catch {
    return false;
  }
}

/** Why a fetch fails without an answer, as far as a page can tell of a server that does not answer. */
function unreachable(url: string, cause: unknown): RidgepointError {
  const { host, origin } = new URL(url);
  const why = !navigator.onLine
    ? OFFLINE
    : origin === location.origin
      ? 'it is down'
      : // A page that isolates itself is not told of other origins' answers either.
        crossOriginIsolated
        ? `it is down, its address is wrong, or it does not let pages of ${location.origin} read its files (CORS)`
        : 'it is down, its address is wrong, or it shuts other sites out';
  return new RidgepointError('network', `${host} cannot be reached: ${why}`, { cause });
}

/** The end of a sentence by which `isRefusal` knows it. */
const ORIGINS = '(CORS, Access-Control-Allow-Origin)';

/** @throws RidgepointError why nothing came, DOMException where the caller did not want it any more */
async function askAgain(url: string, init: RequestInit, cause: unknown): Promise<Response> {
  const { signal } = init;
  const foreign = new URL(url).origin !== location.origin;
  if (!foreign || !(await answers(url, signal))) {
    signal?.throwIfAborted();
    throw unreachable(url, cause);
  }
  try {
    // It may have come back just now.
    return await fetch(url, init);
  } catch (error) {
    signal?.throwIfAborted();
    throw new RidgepointError(
      'network',
      `${new URL(url).host} is there, but does not let pages of ${location.origin} read ${url}; download the model and pick its folder, or have its server allow them ${ORIGINS}`,
      { cause: error },
    );
  }
}

/** Whether a server said no, which it would again. */
export const isRefusal = (error: RidgepointError): boolean =>
  /\(40[13]\)/.test(error.message) || error.message.endsWith(ORIGINS);

/**
 * Asks for a file.
 *
 * @param seenTo statuses that the caller has a use for
 * @returns undefined where there is none
 * @throws RidgepointError ('network') naming the host
 */
export async function ask(
  url: string,
  init: RequestInit = {},
  seenTo: readonly number[] = [],
): Promise<Response | undefined> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    response = await askAgain(url, init, error);
  }
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok && !seenTo.includes(response.status)) throw refusal(url, response.status);
  return response;
}

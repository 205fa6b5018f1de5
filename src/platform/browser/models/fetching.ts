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

/** Why a fetch failed without an answer: browsers do not tell a page which it was. */
export function unreachable(url: string, cause: unknown): RidgepointError {
  const { host } = new URL(url);
  const why = !navigator.onLine
    ? 'this machine is offline'
    : `it is down, or does not let pages of ${location.origin} read its files (CORS)`;
  return new RidgepointError('network', `${host} cannot be reached: ${why}`, { cause });
}

/**
 * Asks for a file.
 *
 * @returns undefined where there is none
 * @throws RidgepointError ('network') naming the host
 */
export async function ask(url: string, init: RequestInit = {}): Promise<Response | undefined> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw unreachable(url, error);
  }
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok) throw refusal(url, response.status);
  return response;
}

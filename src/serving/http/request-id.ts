import type { IncomingMessage } from 'node:http';

/** Short and printable, so that neither a log nor a header can be upset by it. */
const KEPT = /^[!-~]{1,128}$/;

/** The id that a proxy has given a request, so that its lines and ours can be joined; else one of our own. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && KEPT.test(given) ? given : crypto.randomUUID();
}

/** Short and printable, so that neither a log nor a header can be upset by it. */
const KEPT = /^[!-~]{1,128}$/;

/** The id that a proxy has given a request, so that its lines and ours can be joined; else one of our own. */
export function requestId(given: string | string[] | null | undefined): string {
  return typeof given === 'string' && KEPT.test(given) ? given : crypto.randomUUID();
}

/** Version, trace, span and flags, as W3C's Trace Context has them. */
const TRACE = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace that a request is part of, where it says so in W3C's words. */
export function traceParent(given: string | string[] | undefined): string | undefined {
  return typeof given === 'string' && TRACE.test(given) ? given : undefined;
}

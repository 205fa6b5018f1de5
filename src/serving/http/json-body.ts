import { type ApiError, badRequest } from '../errors.js';

/** Deeper than any request needs, shallow enough for every recursion over a body. */
const MAX_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a request's body: strictly UTF-8 (a decoder that replaces what it cannot read would change the prompt), and
 * not nested so deeply that walking it could exhaust the stack.
 */
export function parseJsonBody(body: Uint8Array): { readonly value?: unknown; readonly error?: ApiError } {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return { error: badRequest('the body is not valid UTF-8', undefined, 'invalid_utf8') };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault, which may be somebody's prompt: the place is enough.
    const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0];
    const message = `the body is not valid JSON${place ? `, ${place}` : ''}`;
    return { error: badRequest(message, undefined, 'invalid_json') };
  }
  if (deeperThan(value, MAX_DEPTH))
    return { error: badRequest(`the body is nested more than ${MAX_DEPTH} levels deep`) };
  return { value };
}

function deeperThan(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
  }
  return false;
}

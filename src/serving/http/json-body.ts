import { type ApiError, badRequest } from '../errors.js';

/** Deeper than any request needs, shallow enough for every recursion over a body. */
const MAX_DEPTH = 64;
/** Objects, lists and strings, keys among them: each costs as much to make as a hundred characters to read. */
const MOST_PARTS = 65_536;
/** Items of lists: more token ids than a body has room for where each has three digits. */
const MOST_ITEMS = 2 ** 20;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Half of a character that UTF-16 writes as two. */
const HALF = /\p{Surrogate}/u;

/**
 * Parses a request's body: strictly UTF-8 and whole characters (a decoder that replaces what it cannot read would
 * change the prompt), not nested so deeply that walking it could exhaust the stack, and without so many parts that
 * making them would stop everybody else.
 */
export function parseJsonBody(body: Uint8Array): { readonly value?: unknown; readonly error?: ApiError } {
  const excess = excessOf(body);
  if (excess !== undefined) return { error: badRequest(excess) };
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
  // Only an escape can write half a character.
  if (/\\u[dD][89a-fA-F]/.test(text) && hasHalves(value)) {
    return { error: badRequest('the body has half a character: an unpaired surrogate', undefined, 'invalid_utf8') };
  }
  return { value };
}

/** What a body has too much of, seen by its punctuation and before anything is made of it. */
function excessOf(body: Uint8Array): string | undefined {
  let depth = 0;
  let parts = 0;
  let items = 0;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case 0x22: // a string: on to its end
        parts++;
        for (at++; at < body.length && body[at] !== 0x22; at++) if (body[at] === 0x5c) at++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        parts++;
        if (++depth > MAX_DEPTH) return `the body is nested more than ${MAX_DEPTH} levels deep`;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
      case 0x2c: // ,
        items++;
    }
    if (parts > MOST_PARTS) return `the body has more than ${MOST_PARTS} objects, lists and strings`;
  }
  return items > MOST_ITEMS ? `the body has more than ${MOST_ITEMS} items` : undefined;
}

function hasHalves(value: unknown): boolean {
  if (typeof value === 'string') return HALF.test(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasHalves);
  return Object.entries(value).some(([key, item]) => HALF.test(key) || hasHalves(item));
}

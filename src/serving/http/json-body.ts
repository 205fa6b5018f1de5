import { type ApiError, badRequest } from '../errors.js';
import { JsonExcess } from './json-excess.js';
import { othersTurn } from './turns.js';

/** Items of lists: more token ids than a body has room for where each has three digits. */
const MOST_ITEMS = 2 ** 20;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Half of a character that UTF-16 writes as two. */
const HALF = /\p{Surrogate}/u;

/** Bodies of more bytes have their scan, their decoding and their parsing in turns of their own. */
const LARGE = 65_536;

/**
 * Parses a request's body: strictly UTF-8 and whole characters (a decoder that replaces what it cannot read would
 * change the prompt), not nested so deeply that walking it could exhaust the stack, and without so many parts that
 * making them would stop everybody else, who have their turns between the stages of a large one.
 */
export async function parseJsonBody(
  body: Uint8Array,
): Promise<{ readonly value?: unknown; readonly error?: ApiError }> {
  const others = () => (body.length > LARGE ? othersTurn() : undefined);
  const excess = new JsonExcess('the body', MOST_ITEMS).of(body);
  if (excess !== undefined) return { error: badRequest(excess) };
  await others();
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return { error: badRequest('the body is not valid UTF-8', undefined, 'invalid_utf8') };
  }
  await others();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault, which may be somebody's prompt: the place is enough.
    const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0];
    const message = `the body is not valid JSON${place ? `, ${place}` : ''}`;
    return { error: badRequest(message, undefined, 'invalid_json') };
  }
  await others();
  // Only an escape can write half a character.
  if (/\\u[dD][89a-fA-F]/.test(text) && hasHalves(value)) {
    return { error: badRequest('the body has half a character: an unpaired surrogate', undefined, 'invalid_utf8') };
  }
  return { value };
}

function hasHalves(value: unknown): boolean {
  if (typeof value === 'string') return HALF.test(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasHalves);
  return Object.entries(value).some(([key, item]) => HALF.test(key) || hasHalves(item));
}

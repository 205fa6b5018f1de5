import type * as z from 'zod';
import { badRequest } from '../errors.js';
import type { Exchange } from '../http/exchange.js';
import { type Endpoint, sortFields } from './fields.js';

/**
 * Checks a body against an endpoint's schema. A field that is null counts as absent, as in OpenAI's API; one that
 * nobody knows is left out and named in the answer's head.
 *
 * @throws ApiError (400) naming the first field that is wrong
 */
export function parseRequest<Schema extends z.ZodType>(
  endpoint: Endpoint,
  schema: Schema,
  body: unknown,
  exchange: Pick<Exchange, 'header'>,
): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('the body must be a JSON object');
  const { used, unknown } = sortFields(endpoint, body);
  if (unknown.length > 0) exchange.header('x-ignored-fields', unknown.join(', '));
  const result = schema.safeParse(used);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const unread = issue.code === 'unrecognized_keys' ? issue.keys[0].slice(0, 64) : undefined;
  const param = fieldName(unread === undefined ? issue.path : [...issue.path, unread]);
  const message = unread === undefined ? plain(issue.message) : 'not a field of this server';
  throw badRequest(`${param ?? 'the body'}: ${message}`, param);
}

/** `messages[0].content` */
function fieldName(path: readonly PropertyKey[]): string | undefined {
  if (path.length === 0) return undefined;
  return path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? String(key) : `.${String(key)}`))
    .join('');
}

function plain(message: string): string {
  const text = message.replace(/^Invalid (?:input|option): /, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

import type { z } from 'zod';
import { badRequest } from '../errors.js';

/**
 * Checks a body against an endpoint's schema. A field that is null counts as absent, as in OpenAI's API; fields that
 * the schema does not know are dropped.
 *
 * @throws ApiError (400) naming the first field that is wrong
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('the body must be a JSON object');
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const param = fieldName(path);
  throw badRequest(`${param ?? 'the body'}: ${plain(message)}`, param);
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

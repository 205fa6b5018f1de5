import { type ApiError, toApiError } from './errors.js';
import type { Lifetime } from './http/lifetime.js';
import { messagesError } from './mapping/message-format.js';

/** What a client is told of a failure: where its request ended first, of that. */
export function failureOf(error: unknown, lifetime: Lifetime | undefined): ApiError {
  const wasAborted = lifetime?.reason !== undefined && (error as Error).name === 'AbortError';
  return wasAborted ? lifetime.error() : toApiError(error);
}

/** An error's JSON, in the words of the API that was asked. */
export function errorBody(error: ApiError, path: string | undefined): object {
  return path?.startsWith('/v1/messages') ? messagesError(error) : error.body();
}

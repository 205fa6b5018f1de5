import { ApiError } from '../errors.js';

/**
 * What is said of a request that no route takes.
 *
 * @param allowed methods that its path takes; undefined where there is no such path
 */
export function unserved(allowed: readonly string[] | undefined): ApiError {
  if (allowed === undefined) {
    return new ApiError(404, 'there is no such route', { type: 'not_found_error', code: 'unknown_url' });
  }
  const allow = allowed.join(', ');
  return new ApiError(405, `this route takes ${allow}`, { headers: { allow } });
}

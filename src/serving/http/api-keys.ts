import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from '../errors.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The keys a server takes. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /**
   * Digests are compared, all of them and in constant time, so that how long it takes tells nothing about the keys,
   * their lengths included.
   *
   * @param authorization the header, `Bearer ...`
   * @returns what is wrong; undefined for a request that may go on
   */
  check(authorization: string | undefined): ApiError | undefined {
    if (this.#digests.length === 0) return undefined;
    const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    const found = digest(key ?? '');
    const known = this.#digests.reduce((any, own) => timingSafeEqual(own, found) || any, false);
    if (key !== undefined && known) return undefined;
    const message =
      key === undefined
        ? 'no API key was given; send it as "Authorization: Bearer KEY"'
        : 'the API key is not one that this server takes';
    return new ApiError(401, message, {
      type: 'authentication_error',
      code: 'invalid_api_key',
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
}

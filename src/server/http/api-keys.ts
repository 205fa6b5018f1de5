import { isSameSecret } from '../../platform/node/secrets.js';
import { ApiError } from '../../serving/errors.js';

/** The keys a server takes. */
export class ApiKeys {
  readonly #keys: readonly string[];

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  /**
   * All are compared, each in constant time, so that how long it takes tells nothing about the keys.
   *
   * @param authorization the header, `Bearer ...`, or `Basic ...` with the key as password, as browsers send it
   * @param page whether a browser asks for a page, and shall ask its user for the key
   * @returns what is wrong; undefined for a request that may go on
   */
  check(authorization: string | undefined, page = false): ApiError | undefined {
    if (this.#keys.length === 0) return undefined;
    const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? passwordIn(authorization);
    const known = this.#keys.reduce((any, own) => isSameSecret(own, key ?? '') || any, false);
    if (key !== undefined && known) return undefined;
    const message =
      key === undefined
        ? 'no API key was given; send it as "Authorization: Bearer KEY"'
        : 'the API key is not one that this server takes';
    return new ApiError(401, message, {
      type: 'authentication_error',
      code: 'invalid_api_key',
      headers: { 'www-authenticate': page ? 'Basic realm="Ridgepoint", charset="UTF-8"' : 'Bearer' },
    });
  }
}

function passwordIn(authorization: string | undefined): string | undefined {
  const basic = /^Basic +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return undefined;
  const both = Buffer.from(basic, 'base64').toString('utf8');
  return both.includes(':') ? both.slice(both.indexOf(':') + 1) : undefined;
}

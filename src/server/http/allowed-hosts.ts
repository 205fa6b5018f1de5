import { isIP } from 'node:net';
import { ApiError } from '../../serving/errors.js';

/**
 * The names under which a server may be asked. A web page of somebody's can have its own name resolve to this machine
 * (DNS rebinding) and then asks as if the server were its own, past CORS; the name it asks under gives it away. An
 * address cannot be rebound, nor can `localhost`.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;

  /** @param names beside addresses and `localhost`; `*` is any, undefined does not look */
  constructor(names: readonly string[] | undefined) {
    this.#names = new Set(names === undefined ? ['*'] : names.map((name) => name.toLowerCase()));
  }

  /**
   * @param host the header, a name or an address with or without a port
   * @returns what is wrong; undefined for a request that may go on
   */
  check(host: string | undefined): ApiError | undefined {
    // No browser leaves it out.
    if (this.#names.has('*') || host === undefined) return undefined;
    const name = host.replace(/:\d*$/, '').toLowerCase();
    const address = isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0;
    if (address || name === 'localhost' || name.endsWith('.localhost') || this.#names.has(name)) return undefined;
    return new ApiError(
      403,
      'this server is not asked under that name; whoever runs it may allow it with --allowed-host',
      { code: 'host_not_allowed' },
    );
  }
}

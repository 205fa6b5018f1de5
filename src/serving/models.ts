import { ApiError } from './errors.js';

/** The names the model is served under; the first is the one answers give. */
export class ModelNames {
  readonly created = Math.floor(Date.now() / 1000);

  /** The names that are listed. */
  readonly names: readonly [string, ...string[]];
  readonly #any: boolean;

  /**
   * @param own the model's own name
   * @param given names to serve it under; `*` is any, besides the model's own
   */
  constructor(own: string, given: readonly string[] = []) {
    const [first = own, ...others] = given.filter((name) => name !== '*');
    this.names = [first, ...others];
    this.#any = given.includes('*');
  }

  /**
   * @param name as requested; undefined or empty, as clients of a server with one model send it, for that one
   * @returns the name an answer gives
   * @throws ApiError (404)
   */
  resolve(name: string | undefined): string {
    if (name === undefined || name === '') return this.names[0];
    if (this.#any || this.names.includes(name)) return name;
    const asked = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
    throw new ApiError(404, `the model ${asked} is not served here; there is ${this.names.join(', ')}`, {
      type: 'not_found_error',
      param: 'model',
      code: 'model_not_found',
    });
  }
}

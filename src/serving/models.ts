import { ApiError } from './errors.js';

/** The names the model is served under; the first is the one answers give. */
export class ModelNames {
  readonly created = Math.floor(Date.now() / 1000);

  constructor(readonly names: readonly [string, ...string[]]) {}

  /**
   * @param name as requested; undefined or empty, as clients of a server with one model send it, for that one
   * @returns the name an answer gives
   * @throws ApiError (404)
   */
  resolve(name: string | undefined): string {
    if (name === undefined || name === '') return this.names[0];
    if (this.names.includes(name)) return name;
    const asked = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
    throw new ApiError(404, `the model ${asked} is not served here; there is ${this.names.join(', ')}`, {
      type: 'not_found_error',
      param: 'model',
      code: 'model_not_found',
    });
  }
}

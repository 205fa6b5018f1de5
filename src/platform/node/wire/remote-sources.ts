import { addressText, type Address } from '../../../cluster/address.js';
import type { CoreEngine } from '../../../engine/engine.js';
import { RemoteSource, type RemoteOptions } from './remote.js';

/** Workers that compute prompts, each found again by its address. */
export class RemoteSources {
  readonly #engine: CoreEngine;
  readonly #options: Omit<RemoteOptions, 'address'>;
  readonly #sources = new Map<string, RemoteSource>();

  constructor(engine: CoreEngine, options: Omit<RemoteOptions, 'address'>) {
    this.#engine = engine;
    this.#options = options;
  }

  of(address: Address): RemoteSource {
    const name = addressText(address);
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = new RemoteSource(this.#engine, { ...this.#options, address });
      this.#sources.set(name, source);
    }
    return source;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()));
  }
}

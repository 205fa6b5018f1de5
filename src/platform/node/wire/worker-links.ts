import { addressText, type Address } from '../../../cluster/address.js';
import { TcpLink, type TcpLinkOptions } from './tcp-link.js';

/** A router's connections to workers, some of which come and go while it runs. */
export class WorkerLinks {
  readonly #options: Omit<TcpLinkOptions, 'address'>;
  readonly #links = new Map<string, TcpLink>();

  constructor(options: Omit<TcpLinkOptions, 'address'>) {
    this.#options = options;
  }

  get size(): number {
    return this.#links.size;
  }

  get all(): TcpLink[] {
    return [...this.#links.values()];
  }

  get(name: string): TcpLink | undefined {
    return this.#links.get(name);
  }

  /** Looks for a worker from now on; one that is looked for already stays as it is. */
  add(address: Address): void {
    const name = addressText(address);
    if (!this.#links.has(name)) this.#links.set(name, new TcpLink({ address, ...this.#options }));
  }

  /** Looks for a worker no more; what ran there is lost. */
  drop(name: string): void {
    const link = this.#links.get(name);
    this.#links.delete(name);
    link?.abandon();
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}

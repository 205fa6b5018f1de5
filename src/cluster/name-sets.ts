import type { BlockEvents } from './control/block-events.js';

/** Names of blocks that are remembered of a worker; the oldest are forgotten first. */
const KEPT = 65_536;
/** Bytes of a name that are kept: this is advice, and 96 bits tell blocks apart well enough. */
const SHORT = 12;

/** The beginning of a block's name, for messages. */
export const shortName = (name: string): string => btoa(name.slice(0, SHORT));

interface Known {
  readonly names: Set<string>;
  /** The process that has told of its blocks, and the number of its last message. */
  told: Pick<BlockEvents, 'epoch' | 'seq'> | undefined;
}

/**
 * What each worker is likely to have in its cache: whatever it was sent lately, and what it tells of itself. Advice
 * alone; its own cache decides.
 */
export class NameSets {
  readonly #sets = new Map<string, Known>();
  /** Messages of workers that were missed. */
  gaps = 0;

  /** A worker has been sent these, whole names, and will have them soon. */
  add(worker: string, names: readonly string[]): void {
    remember(this.#of(worker).names, names.map(shortName));
  }

  /** Takes note of what a worker tells. @returns whether all is known now; else it is to be asked for all */
  apply({ worker, epoch, seq, add, drop, all }: BlockEvents): boolean {
    const known = this.#of(worker);
    const { told, names } = known;
    if (told !== undefined && (epoch < told.epoch || (epoch === told.epoch && seq <= told.seq))) return true;
    if (all === true) names.clear();
    else if (told?.epoch !== epoch || seq !== told.seq + 1) {
      this.gaps++;
      return false;
    }
    known.told = { epoch, seq };
    for (const name of drop) names.delete(name);
    remember(names, add);
    return true;
  }

  /** Whether a worker has told more than has come here. */
  isBehind(worker: string, epoch: string, seq: number): boolean {
    const told = this.#sets.get(worker)?.told;
    if (told === undefined || epoch > told.epoch) return seq > 0;
    return epoch === told.epoch && seq > told.seq;
  }

  /** How many of the first of these a worker is likely to have. */
  beginning(worker: string, names: readonly string[]): number {
    const known = this.#sets.get(worker);
    if (known === undefined) return 0;
    const missing = names.findIndex((name) => !known.names.has(shortName(name)));
    return missing < 0 ? names.length : missing;
  }

  forget(worker: string): void {
    this.#sets.delete(worker);
  }

  #of(worker: string): Known {
    let known = this.#sets.get(worker);
    if (known === undefined) this.#sets.set(worker, (known = { names: new Set(), told: undefined }));
    return known;
  }
}

function remember(set: Set<string>, names: readonly string[]): void {
  for (const name of names) {
    set.delete(name); // to be the last to be forgotten
    set.add(name);
  }
  for (const name of set) {
    if (set.size <= KEPT) break;
    set.delete(name);
  }
}

import { shortName } from '../name-sets.js';
import { SUBJECTS, type ControlBus } from './bus.js';

/** How long events are gathered before they are told, in milliseconds. */
const GATHER_MS = 50;
/** Names in a message, at most. */
const MOST_NAMES = 8192;
/** A short name in JSON, with its quotes and a comma. */
const NAME_BYTES = 19;

/** What has come to a worker's cache and what has gone, by short names of blocks. */
export interface BlockEvents {
  readonly worker: string;
  readonly epoch: string;
  /** One more each time, so that who has missed some knows it. */
  readonly seq: number;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** What came before is to be forgotten. */
  readonly all?: boolean;
}

/** Tells all others what can be found in a worker's cache, as it changes and all at once where somebody asks. */
export class BlockTeller {
  readonly #bus: ControlBus;
  readonly #about: Pick<BlockEvents, 'worker' | 'epoch'>;
  readonly #all = new Set<string>();
  /** What has changed, and whether it is there now. */
  readonly #changed = new Map<string, boolean>();
  #wantsAll = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the last message. */
  seq = 0;

  constructor(bus: ControlBus, about: Pick<BlockEvents, 'worker' | 'epoch'>) {
    this.#bus = bus;
    this.#about = about;
    bus.subscribe(SUBJECTS.dump, (value) => {
      if ((Object(value) as { readonly worker?: unknown }).worker !== about.worker) return;
      this.#wantsAll = true;
      this.#soon();
    });
  }

  published(name: string): void {
    this.#change(name, true);
  }

  evicted(name: string): void {
    this.#change(name, false);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #change(name: string, isThere: boolean): void {
    const short = shortName(name);
    if (isThere) this.#all.add(short);
    else this.#all.delete(short);
    this.#changed.set(short, isThere);
    this.#soon();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell(): void {
    this.#timer = undefined;
    // Somebody may ask for all while this is told, which is for the next time.
    const isAll = this.#wantsAll;
    const names = isAll ? [...this.#all].map((name) => [name, true] as const) : [...this.#changed];
    this.#wantsAll = false;
    this.#changed.clear();
    const most = this.#mostNames();
    for (let from = 0; from < names.length || (from === 0 && isAll); from += most) {
      const some = names.slice(from, from + most);
      const events: BlockEvents = {
        ...this.#about,
        seq: ++this.seq,
        add: some.filter(([, isThere]) => isThere).map(([name]) => name),
        drop: some.filter(([, isThere]) => !isThere).map(([name]) => name),
        ...(isAll && from === 0 ? { all: true } : {}),
      };
      this.#bus.publish(SUBJECTS.blocks, events);
    }
  }

  /** How many names a message has room for. */
  #mostNames(): number {
    const longest: BlockEvents = { ...this.#about, seq: Number.MAX_SAFE_INTEGER, add: [], drop: [], all: true };
    const room = this.#bus.mostBytes - new TextEncoder().encode(JSON.stringify(longest)).length;
    return Math.max(1, Math.min(MOST_NAMES, Math.floor(room / NAME_BYTES)));
  }
}

/** @returns undefined for what is none */
export function blockEventsOf(value: unknown): BlockEvents | undefined {
  const said = Object(value) as Partial<BlockEvents>;
  const { worker, epoch, seq, add, drop } = said;
  const areNames = (names: unknown): boolean =>
    Array.isArray(names) && names.length <= MOST_NAMES && names.every((name) => typeof name === 'string');
  const known =
    typeof worker === 'string' && typeof epoch === 'string' && Number.isInteger(seq) && areNames(add) && areNames(drop);
  return known ? (said as BlockEvents) : undefined;
}

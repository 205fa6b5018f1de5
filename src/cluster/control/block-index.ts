import type { NameSets } from '../name-sets.js';
import type { Announcement } from './announcement.js';
import { blockEventsOf } from './block-events.js';
import { SUBJECTS, type ControlBus } from './bus.js';

/** Keeps what is known of workers' caches by what they tell; asks for all where something was missed. */
export class BlockIndex {
  readonly #bus: ControlBus;
  readonly #names: NameSets;

  constructor(bus: ControlBus, names: NameSets) {
    this.#bus = bus;
    this.#names = names;
    bus.subscribe(SUBJECTS.blocks, (value) => {
      const events = blockEventsOf(value);
      if (events !== undefined && !names.apply(events)) this.#ask(events.worker);
    });
  }

  /** A worker says how much it has told; who has missed the last of it learns of that here. */
  announced({ worker, epoch, blocks }: Announcement): void {
    if (blocks !== undefined && this.#names.isBehind(worker, epoch, blocks)) this.#ask(worker);
  }

  #ask(worker: string): void {
    this.#bus.publish(SUBJECTS.dump, { worker });
  }
}

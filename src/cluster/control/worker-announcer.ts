import { orderFor, type Announcement } from './announcement.js';
import { SUBJECTS, type ControlBus } from './bus.js';

/** How often a worker tells of itself, in milliseconds. */
const ANNOUNCE_MS = 500;

export interface WorkerAnnouncerOptions {
  readonly about: Omit<Announcement, 'state'>;
  /** It is to finish what it has and to end. */
  readonly onDrain: () => void;
}

/** Tells all others that a worker is there, and hears what it is told to do. */
export class WorkerAnnouncer {
  readonly #bus: ControlBus;
  readonly #about: Omit<Announcement, 'state'>;
  readonly #timer: ReturnType<typeof setInterval>;
  #state: Announcement['state'] = 'up';

  constructor(bus: ControlBus, { about, onDrain }: WorkerAnnouncerOptions) {
    this.#bus = bus;
    this.#about = about;
    const announce = (): void => this.#announce();
    bus.onConnected(announce);
    bus.subscribe(SUBJECTS.who, announce);
    bus.subscribe(SUBJECTS.order, (value) => {
      if (this.#state !== 'up' || orderFor(about, value) === undefined) return;
      this.#state = 'draining';
      announce();
      onDrain();
    });
    this.#timer = setInterval(announce, ANNOUNCE_MS);
  }

  /** Tells that it is ending. */
  leave(): void {
    clearInterval(this.#timer);
    this.#state = 'left';
    this.#announce();
  }

  #announce(): void {
    this.#bus.publish(SUBJECTS.announce, { ...this.#about, state: this.#state } satisfies Announcement);
  }
}

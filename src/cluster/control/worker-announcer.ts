import { orderFor, type Announcement } from './announcement.js';
import { SUBJECTS, type ControlBus } from './bus.js';

/** How often a worker tells of itself, in milliseconds. */
const ANNOUNCE_MS = 500;

export interface WorkerAnnouncerOptions {
  readonly about: Omit<Announcement, 'state' | 'blocks'>;
  /** The number of its last message about blocks. */
  readonly blocks?: () => number;
  /** It is to finish what it has and to end. */
  readonly onDrain: () => void;
}

/** Tells all others that a worker is there, and hears what it is told to do. */
export class WorkerAnnouncer {
  readonly #bus: ControlBus;
  readonly #options: WorkerAnnouncerOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #state: Announcement['state'] = 'up';
  #pool: Announcement['pool'];

  constructor(bus: ControlBus, options: WorkerAnnouncerOptions) {
    const { about, onDrain } = options;
    this.#bus = bus;
    this.#options = options;
    const announce = (): void => this.#announce();
    bus.onConnected(announce);
    bus.subscribe(SUBJECTS.who, announce);
    bus.subscribe(SUBJECTS.order, (value) => {
      const order = orderFor(about, value);
      if (this.#state !== 'up' || order === undefined) return;
      if (order.order === 'role') {
        if (about.role !== 'auto') return;
        this.#pool = order.pool;
        return announce();
      }
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
    const { about, blocks } = this.#options;
    const announcement: Announcement = { ...about, state: this.#state, pool: this.#pool, blocks: blocks?.() };
    this.#bus.publish(SUBJECTS.announce, announcement);
  }
}

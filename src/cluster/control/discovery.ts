import { announcementOf, type Announcement } from './announcement.js';
import { SUBJECTS, type ControlBus } from './bus.js';
import { Membership } from './membership.js';

/** How often it is looked who has gone, in milliseconds. */
const LOOK_MS = 250;

export interface DiscoveryListener {
  /** Somebody has come, or another process under its name. */
  found(announcement: Announcement): void;
  changed(announcement: Announcement): void;
  /** It says something of itself, new or not. */
  heard(announcement: Announcement): void;
  /** It has left, or nothing is heard of it any more. */
  lost(worker: string): void;
  /** Whether its data connection says that it is there. */
  isThere(worker: string): boolean;
}

/**
 * Finds workers by what they announce. While there is no connection nobody comes and nobody goes: who was known stays
 * known.
 */
export class Discovery {
  readonly members = new Membership();
  readonly #bus: ControlBus;
  readonly #listener: DiscoveryListener;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(bus: ControlBus, listener: DiscoveryListener, now = () => performance.now()) {
    this.#bus = bus;
    this.#listener = listener;
    this.#now = now;
    bus.subscribe(SUBJECTS.announce, (value) => this.#hear(value));
    bus.onConnected(() => {
      this.members.listenFrom(now());
      bus.publish(SUBJECTS.who, {});
    });
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Looks who has gone. */
  look(): void {
    if (!this.#bus.connected) {
      this.members.listenFrom(this.#now());
      return;
    }
    const isThere = (worker: string): boolean => this.#listener.isThere(worker);
    for (const worker of this.members.takeSilent(this.#now(), isThere)) this.#listener.lost(worker);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #hear(value: unknown): void {
    const announcement = announcementOf(value);
    if (announcement === undefined) return;
    const news = this.members.hear(announcement, this.#now());
    if (news === 'stale') return;
    if (news === 'left') return this.#listener.lost(announcement.worker);
    if (news === 'new') this.#listener.found(announcement);
    else if (news === 'changed') this.#listener.changed(announcement);
    this.#listener.heard(announcement);
  }
}

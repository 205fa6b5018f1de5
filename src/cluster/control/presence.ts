import { SUBJECTS, type ControlBus } from './bus.js';
import { GONE_MS } from './membership.js';

/** How often a router tells of itself, and looks who has gone, in milliseconds. */
const TELL_MS = 500;

interface RouterWord {
  readonly router: string;
  readonly left?: boolean;
}

/** Which routers are there. */
export class RouterPresence {
  readonly #bus: ControlBus;
  readonly #id: string;
  readonly #now: () => number;
  readonly #heard = new Map<string, number>();
  /** From when on silence says something. */
  #listening = Infinity;
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param onGone told of each that has left or gone silent */
  constructor(bus: ControlBus, id: string, onGone: (router: string) => void, now = () => performance.now()) {
    this.#bus = bus;
    this.#id = id;
    this.#now = now;
    bus.subscribe(SUBJECTS.router, (value) => {
      const { router, left } = Object(value) as Partial<RouterWord>;
      if (typeof router !== 'string' || router === id) return;
      if (left !== true) this.#heard.set(router, now());
      else if (this.#heard.delete(router)) onGone(router);
    });
    bus.onConnected(() => {
      this.#listening = now();
      // Nobody could be heard meanwhile.
      for (const router of this.#heard.keys()) this.#heard.set(router, now());
      this.#tell({ router: id });
    });
    this.#timer = setInterval(() => {
      this.#tell({ router: id });
      if (!bus.connected) return;
      for (const router of [...this.#heard.keys()]) {
        if (this.isThere(router)) continue;
        this.#heard.delete(router);
        onGone(router);
      }
    }, TELL_MS);
  }

  /** Whether a router is there, or may be: nothing is known of those that are not heard yet. */
  isThere(router: string): boolean {
    if (router === this.#id || !this.#bus.connected) return true;
    return this.#now() - Math.max(this.#listening, this.#heard.get(router) ?? -Infinity) < GONE_MS;
  }

  /** Tells that it is ending. */
  leave(): void {
    clearInterval(this.#timer);
    this.#tell({ router: this.#id, left: true });
  }

  #tell(word: RouterWord): void {
    this.#bus.publish(SUBJECTS.router, word);
  }
}

import type { Clock } from '../../../bench/serve/load/clock.js';

/** Time that passes only when nobody has anything left to do before the next sleeper wakes. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #sleepers: { at: number; order: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#sleepers.push({ at: this.#now + ms, order: this.#order++, wake });
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finish = (): void => void (done = true);
    work.then(finish, finish);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // whatever can go on without time has gone on
      if (done) return work;
      this.#sleepers.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#sleepers.shift();
      if (next === undefined) throw new Error('everybody waits, and nobody for the time');
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}

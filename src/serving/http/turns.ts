/** How long one request may hold the process before others have their turn, in milliseconds. */
const TURN_MS = 8;

/** Cuts the work of one request into turns, between which everybody else's is done. */
export class Turns {
  #until = performance.now() + TURN_MS;

  /** Whether the turn is over. */
  get over(): boolean {
    return performance.now() >= this.#until;
  }

  /** Goes on at once while there is time, else after the others. */
  async pause(): Promise<void> {
    if (!this.over) return;
    await new Promise<void>((resolve) => setImmediate(() => resolve()));
    this.#until = performance.now() + TURN_MS;
  }
}

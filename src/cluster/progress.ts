/** Steps of a worker's engine, as it reports them, and when they last became more. */
interface Pace {
  steps: number;
  at: number;
  stuck: boolean;
}

/**
 * Tells a worker that is slow from one whose engine hangs while its process answers: the one makes steps. Pure: times are
 * given, in milliseconds of a clock that goes on evenly.
 */
export class ProgressWatch {
  readonly #paces = new Map<string, Pace>();

  /** Takes note of what a worker reports. */
  report(worker: string, steps: number, now: number): void {
    const pace = this.#paces.get(worker);
    if (pace?.steps !== steps) this.#paces.set(worker, { steps, at: now, stuck: false });
  }

  /** When a worker's engine was last known to make a step; never before `-Infinity`. */
  steppedAt(worker: string): number {
    return this.#paces.get(worker)?.at ?? -Infinity;
  }

  /** Nothing came of a worker's run for too long: it is passed over until its engine makes a step. */
  markStuck(worker: string): void {
    const pace = this.#paces.get(worker);
    if (pace !== undefined) pace.stuck = true;
  }

  isStuck(worker: string): boolean {
    return this.#paces.get(worker)?.stuck === true;
  }

  /** Another process has come in its place. */
  forget(worker: string): void {
    this.#paces.delete(worker);
  }
}

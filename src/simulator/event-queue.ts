/** Something that will happen; `cancel` takes it back. */
export interface ScheduledEvent {
  readonly time: number;
  cancelled: boolean;
}

interface Entry extends ScheduledEvent {
  time: number;
  readonly order: number;
  readonly rank: number;
  readonly action: () => void;
}

/**
 * What of several events of one moment comes first: a step ends and hands over its tokens before anybody looks at the
 * machine, and only then do requests arrive. Without a rule, whether a request just makes it into a step would hang on
 * the order in which events were entered.
 */
export const RANK = { end: 0, transfer: 1, arrival: 2, control: 3 } as const;

/**
 * Events in order of time, then rank, then entry: a binary heap. The same entries come out in the same order whatever
 * the machine, so a simulation repeats to the bit.
 */
export class EventQueue {
  #now = 0;
  #orders = 0;
  readonly #heap: Entry[] = [];

  /** Seconds since the beginning: the time of the event that was last taken. */
  get now(): number {
    return this.#now;
  }

  /** @throws RangeError for a time that has passed */
  at(time: number, rank: number, action: () => void): ScheduledEvent {
    if (!(time >= this.#now)) throw new RangeError(`an event at ${time} s cannot be entered at ${this.#now} s`);
    const entry: Entry = { time, rank, order: this.#orders++, cancelled: false, action };
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    return entry;
  }

  /**
   * Puts an event that has just happened off to a later time, under its old number: what several events of one moment
   * are ordered by is when they were first entered.
   */
  again(event: ScheduledEvent, time: number): void {
    const entry = event as Entry;
    entry.time = time;
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** Whether nothing is going to happen. */
  get isEmpty(): boolean {
    return this.#heap.every(({ cancelled }) => cancelled);
  }

  /** Lets the next event happen. @returns false when there is none */
  step(): boolean {
    for (;;) {
      const entry = this.#take();
      if (entry === undefined) return false;
      if (entry.cancelled) continue;
      this.#now = entry.time;
      entry.action();
      return true;
    }
  }

  #take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(at: number): void {
    const heap = this.#heap;
    const entry = heap[at];
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(entry, heap[above])) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = entry;
  }

  #sink(): void {
    const heap = this.#heap;
    const entry = heap[0];
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1], heap[below])) below++;
      if (!before(heap[below], entry)) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && (a.rank < b.rank || (a.rank === b.rank && a.order < b.order)));
}

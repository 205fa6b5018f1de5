/** Something that will happen; `cancelled` leaves it in the heap and without effect. */
export interface HeapEvent {
  readonly time: number;
  readonly action: () => void;
  cancelled: boolean;
}

/**
 * Events by time alone, in a binary heap that is worked as Python's `heapq` is (a hole sinks to a leaf along the lesser
 * children, and the last entry rises from there; of equal children the right one is lesser). Events of one moment have no
 * order of their own there: it comes of the heap's shape, transfers tried again each second share moments all the time,
 * and which of them finds memory decides all that follows.
 */
export class EventHeap {
  #now = 0;
  readonly #heap: HeapEvent[] = [];

  /** Seconds since the beginning: the time of the event that was last taken. */
  get now(): number {
    return this.#now;
  }

  after(seconds: number, action: () => void): HeapEvent {
    const event = { time: this.#now + seconds, action, cancelled: false };
    this.#heap.push(event);
    this.#rise(event, this.#heap.length - 1);
    return event;
  }

  /** Lets the next event happen. @returns false when there is none */
  step(): boolean {
    for (;;) {
      const event = this.#take();
      if (event === undefined) return false;
      if (event.cancelled) continue;
      this.#now = event.time;
      event.action();
      return true;
    }
  }

  #take(): HeapEvent | undefined {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return last;
    const first = heap[0];
    let hole = 0;
    for (let child = 1; child < heap.length; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < heap.length && !(heap[child].time < heap[right].time)) child = right;
      heap[hole] = heap[child];
      hole = child;
    }
    this.#rise(last, hole);
    return first;
  }

  #rise(event: HeapEvent, at: number): void {
    const heap = this.#heap;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!(event.time < heap[above].time)) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = event;
  }
}

import { RANK, type EventQueue, type ScheduledEvent } from './event-queue.js';

/** Bytes on their way from one machine to another. */
export interface Flow {
  readonly from: number;
  readonly to: number;
  /** Bytes still to come. */
  left: number;
  /** Of those, what may not move yet, because it does not exist. */
  withheld: number;
  /** Bytes a second, as shared at the moment. */
  rate: number;
  readonly done: () => void;
}

/**
 * Links of machines: each sends and receives at most so many bytes a second, and flows share what they have in common
 * max-min fairly: whoever cannot use its share leaves it to the others (Bertsekas and Gallager, Data Networks, 6.5.2).
 */
export class Links {
  readonly #flows = new Set<Flow>();
  #since = 0;
  #event: ScheduledEvent | undefined;
  /** Bytes that have arrived, and seconds in which something moved. */
  readonly counts = { bytes: 0, busySeconds: 0 };

  readonly #events: EventQueue;
  readonly #capacity: (machine: number) => number;
  readonly #shared: boolean;

  /**
   * @param capacity bytes a second of each machine, for what goes out and for what comes in
   * @param shared false: every flow has its link to itself
   */
  constructor(events: EventQueue, capacity: (machine: number) => number, shared: boolean) {
    this.#events = events;
    this.#capacity = capacity;
    this.#shared = shared;
  }

  /** @param withheld bytes that may move only after `allow` */
  start(from: number, to: number, bytes: number, withheld: number, done: () => void): Flow {
    const flow: Flow = { from, to, left: bytes, withheld, rate: 0, done };
    this.#move();
    this.#flows.add(flow);
    this.#share();
    return flow;
  }

  /** Lets all of a flow move. */
  allow(flow: Flow): void {
    this.#move();
    flow.withheld = 0;
    this.#share();
  }

  cancel(flow: Flow): void {
    this.#move();
    this.#flows.delete(flow);
    this.#share();
  }

  /** Takes account of what has moved since the rates were last set. */
  #move(): void {
    const seconds = this.#events.now - this.#since;
    this.#since = this.#events.now;
    let moved = false;
    for (const flow of this.#flows) {
      const bytes = Math.min(flow.left, flow.rate * seconds);
      flow.left -= bytes;
      // What would take less than a nanosecond may be less than the clock can tell.
      if (flow.left - flow.withheld < NANOSECOND * flow.rate) flow.left = flow.withheld;
      this.counts.bytes += bytes;
      moved ||= flow.rate > 0;
    }
    if (moved) this.counts.busySeconds += seconds;
  }

  /** Sets rates anew and enters when the next of them changes: a flow has arrived, or has moved all it may. */
  #share(): void {
    const moving: Flow[] = [];
    let arrived = false;
    for (const flow of this.#flows) {
      flow.rate = 0;
      if (flow.left > flow.withheld + SLACK) moving.push(flow);
      else if (flow.left <= SLACK && flow.withheld === 0) arrived = true;
    }
    if (this.#shared) fairShares(moving, this.#capacity);
    else for (const flow of moving) flow.rate = Math.min(this.#capacity(flow.from), this.#capacity(flow.to));
    if (this.#event !== undefined) this.#event.cancelled = true;
    this.#event = undefined;
    let next = Infinity;
    for (const { left, withheld, rate } of moving) next = Math.min(next, (left - withheld) / rate);
    if (arrived) next = 0;
    if (next < Infinity) this.#event = this.#events.at(this.#events.now + next, RANK.transfer, () => this.#next());
  }

  #next(): void {
    this.#event = undefined;
    this.#move();
    const arrived = [...this.#flows].filter(({ left, withheld }) => left <= SLACK && withheld === 0);
    for (const flow of arrived) this.#flows.delete(flow);
    this.#share();
    for (const { done } of arrived) done();
  }
}

/** Bytes that are lost in rounding. */
const SLACK = 1e-3;
const NANOSECOND = 1e-9;

/** What one machine sends, or receives. */
interface Link {
  room: number;
  /** Flows through it whose rate is not set yet. */
  open: number;
}

/** Fills up the link that has least for each of its flows, takes these flows out, and goes on with the rest. */
function fairShares(flows: readonly Flow[], capacity: (machine: number) => number): void {
  const links = new Map<number, Link>();
  const link = (key: number): Link => {
    let known = links.get(key);
    if (known === undefined) links.set(key, (known = { room: capacity(key >> 1), open: 0 }));
    known.open++;
    return known;
  };
  const open = flows.map((flow) => ({ flow, out: link(2 * flow.from), into: link(2 * flow.to + 1), set: false }));
  const all = [...links.values()];
  for (let left = open.length; left > 0;) {
    let tightest: Link | undefined;
    for (const each of all) {
      if (each.open > 0 && (tightest === undefined || each.room / each.open < tightest.room / tightest.open)) {
        tightest = each;
      }
    }
    const rate = tightest!.room / tightest!.open;
    for (const each of open) {
      if (each.set || (each.out !== tightest && each.into !== tightest)) continue;
      each.set = true;
      each.flow.rate = rate;
      left--;
      take(each.out, rate);
      take(each.into, rate);
    }
  }
}

function take(link: Link, rate: number): void {
  link.open--;
  link.room = Math.max(0, link.room - rate);
}

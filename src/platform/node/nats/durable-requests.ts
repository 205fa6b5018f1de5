import { newEpoch } from '../../../cluster/control/epoch.js';
import { GONE_MS } from '../../../cluster/control/membership.js';
import { RouterPresence } from '../../../cluster/control/presence.js';
import type { NatsBus } from './nats-bus.js';
import { RequestStream } from './request-stream.js';

/** How often requests are looked for whose router went before it was known to anybody, in milliseconds. */
const SCAN_MS = 10_000;
/** How long after others count as gone they are looked for. */
const SPARE_MS = 100;
/** How long a request waits before it is tried again where there was no room, and how often, in milliseconds. */
const [AGAIN_MS, MOST_TRIES] = [1000, 600];

/** A request as it came, to be answered whole. */
export interface DurableRequest {
  readonly path: string;
  readonly body: object;
}

export interface DurableAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface DurableRecord {
  readonly id: string;
  /** The router that answers it. */
  readonly owner: string;
  /** Absent when its client has the answer. */
  readonly request?: DurableRequest;
  /** Absent until it is answered by another router. */
  readonly answer?: DurableAnswer;
}

export interface DurableRequestsOptions {
  /** Answers a request that another router has left. */
  readonly answer: (id: string, request: DurableRequest) => Promise<DurableAnswer>;
  /** Told of requests that are taken over, a sentence each. */
  readonly tell?: (what: string) => void;
}

/**
 * Requests that outlive the router that accepted them. Each is filed before anything is computed, under its id, with the
 * router that has it; it is deleted when its client has the answer. What a router leaves when it goes another one takes
 * over, by compare-and-set so that only one does, and files the answer, which is remembered for an hour.
 */
export class DurableRequests {
  readonly #stream: RequestStream<DurableRecord>;
  readonly #presence: RouterPresence;
  readonly #options: DurableRequestsOptions;
  /** Numbers of the records of those that this router has. */
  readonly #own = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #bus: NatsBus;
  #scanning = false;
  #closed = false;
  readonly router = newEpoch();
  /** Requests that were taken over. */
  takenOver = 0;

  constructor(bus: NatsBus, options: DurableRequestsOptions) {
    this.#bus = bus;
    this.#stream = new RequestStream(bus);
    this.#options = options;
    this.#presence = new RouterPresence(bus, this.router, () => void this.#scan());
    this.#timer = setInterval(() => void this.#scan(), SCAN_MS);
    // Who was there has told of itself by then.
    bus.onConnected(() => setTimeout(() => void this.#scan(), GONE_MS + SPARE_MS));
  }

  /**
   * Files a request.
   *
   * @returns whether it is new; else it is known already, and somebody has it or has answered it
   * @throws Error where it cannot be filed
   */
  async accept(id: string, request: DurableRequest): Promise<boolean> {
    const record: DurableRecord = { id, owner: this.router, request };
    let seq = await this.#stream.put(record, 0, id);
    if (seq === undefined) {
      // One of this id may have been here and been done with lately.
      const known = await this.#stream.get(id);
      if (known === undefined || known.record.request === undefined)
        seq = await this.#stream.put(record, known?.seq ?? 0);
    }
    if (seq === undefined) return false;
    this.#own.set(id, seq);
    return true;
  }

  /** Its client has what there is to have. */
  async done(id: string): Promise<void> {
    const seq = this.#own.get(id);
    this.#own.delete(id);
    if (seq === undefined) return;
    try {
      // A server that is killed may have deleted records again when it is back, and what was filed last in any case.
      const last = await this.#stream.put({ id, owner: this.router }, seq);
      if (last !== undefined) await this.#stream.remove(last);
    } catch {
      // The server is away; another router answers it when this one is gone, for nobody.
    }
  }

  /** What has become of a request. @returns undefined for one that is not known */
  async find(id: string): Promise<{ readonly answer: DurableAnswer | undefined } | undefined> {
    const found = await this.#stream.get(id);
    return found?.record.request && { answer: found.record.answer };
  }

  /** Leaves what is not done with to others. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#presence.leave();
  }

  /** Takes over what nobody has. */
  async #scan(): Promise<void> {
    if (this.#scanning || !this.#bus.connected) return;
    this.#scanning = true;
    try {
      for await (const found of this.#stream.all()) {
        const { record } = found;
        if (this.#closed) return;
        if (record.answer !== undefined || this.#presence.isThere(record.owner)) continue;
        if (record.request === undefined) await this.#stream.remove(found.seq);
        else await this.#takeOver(found.seq, record.id, record.request);
      }
    } catch {
      // The server has gone meanwhile; there is another look.
    } finally {
      this.#scanning = false;
    }
  }

  async #takeOver(seq: number, id: string, request: DurableRequest): Promise<void> {
    const ours = { id, owner: this.router, request };
    const taken = await this.#stream.put(ours, seq);
    if (taken === undefined) return; // another one was faster
    this.takenOver++;
    this.#options.tell?.(`request ${id} of a router that has gone is answered here`);
    void this.#answer(id, request, taken);
  }

  async #answer(id: string, request: DurableRequest, seq: number): Promise<void> {
    let answer: DurableAnswer | undefined;
    for (let tries = 0; tries < MOST_TRIES && !this.#closed; tries++) {
      answer = await this.#options.answer(id, request);
      if (answer.status !== 429 && answer.status !== 503) break;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    for (let tries = 0; tries < MOST_TRIES && !this.#closed; tries++) {
      try {
        await this.#stream.put({ id, owner: this.router, request, answer }, seq);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}

import { newEpoch } from '../../../cluster/control/epoch.js';
import { GONE_MS } from '../../../cluster/control/membership.js';
import { RouterPresence } from '../../../cluster/control/presence.js';
import { RidgepointError } from '../../../errors.js';
import { IdsSoFar } from './ids-so-far.js';
import type { NatsBus } from './nats-bus.js';
import { RecordTooLarge, RequestStream } from './request-stream.js';

/** How often requests are looked for whose router went before it was known to anybody, in milliseconds. */
const SCAN_MS = 10_000;
/** How long after others count as gone they are looked for. */
const SPARE_MS = 100;
/** How long a request waits before it is tried again where there was no room, and how often, in milliseconds. */
const [AGAIN_MS, MOST_TRIES] = [1000, 600];
/** How long the server may take to file what is there when a router leaves, in milliseconds; a process has 3 s to close. */
const LEAVING_MS = 2000;

/** All that the answer of a request depends on, as JSON; only what it is called means something here. */
export interface DurableRequest {
  readonly answerId: string;
}

/** What a router that has gone made of an answer, and who takes note of what is made of it here. */
export interface BegunAnswer {
  /** Ids that a choice has already. */
  resume(choice: number): readonly number[];
  /** Takes note of ids that a choice has got, beyond those before. */
  got(choice: number, ids: readonly number[]): void;
}

export interface DurableAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface DurableRecord<Request> {
  readonly id: string;
  /** The router that answers it. */
  readonly owner: string;
  /** Absent when it is answered: its client has the answer, or it stands here. */
  readonly request?: Request;
  /** Absent until it is answered by another router. */
  readonly answer?: DurableAnswer;
}

export interface DurableRequestsOptions<Request> {
  /** Answers a request that another router has left. */
  readonly answer: (id: string, request: Request, begun: BegunAnswer) => Promise<DurableAnswer>;
  /** What is filed instead of an answer that cannot be, in the endpoint's form. */
  readonly instead: (request: Request, why: string) => DurableAnswer;
  /** Told of requests that are taken over, a sentence each. */
  readonly tell?: (what: string) => void;
}

/**
 * Requests that outlive the router that accepted them. Each is filed before anything is computed, under its id, with the
 * router that has it; it is deleted when its client has the answer. What a router leaves when it goes another one takes
 * over, by compare-and-set so that only one does, goes on from the ids that were filed of it, and files the answer,
 * which is remembered for an hour.
 */
export class DurableRequests<Request extends DurableRequest> {
  readonly #stream: RequestStream<DurableRecord<Request>>;
  readonly #ids: IdsSoFar;
  readonly #presence: RouterPresence;
  readonly #options: DurableRequestsOptions<Request>;
  /** Numbers of the records of those that this router has. */
  readonly #own = new Map<string, number>();
  /** Records that are being deleted. */
  readonly #ending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #bus: NatsBus;
  #scanning = false;
  #closed = false;
  readonly router = newEpoch();
  /** Requests that were taken over. */
  takenOver = 0;
  /** Their ids that were there already. */
  takenOverIds = 0;

  constructor(bus: NatsBus, options: DurableRequestsOptions<Request>) {
    this.#bus = bus;
    this.#stream = new RequestStream(bus, 'requests');
    this.#ids = new IdsSoFar(bus);
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
   * @throws RidgepointError (`usage`) where it is larger than the server takes
   * @throws Error where it cannot be filed
   */
  async accept(id: string, request: Request): Promise<boolean> {
    const record: DurableRecord<Request> = { id, owner: this.router, request };
    let seq = await this.#stream.put(record, 0, id).catch((error: unknown) => {
      throw error instanceof RecordTooLarge ? requestTooLarge(error) : error;
    });
    if (seq === undefined) {
      // One of this id may have been here and been done with lately.
      const known = await this.#stream.get(id);
      if (known === undefined || !isKnown(known.record)) seq = await this.#stream.put(record, known?.seq ?? 0);
    }
    if (seq === undefined) return false;
    this.#own.set(id, seq);
    this.#ids.open(id, request.answerId);
    return true;
  }

  /** Takes note of ids that a choice of a request has got, beyond those before. */
  got(id: string, choice: number, ids: readonly number[]): void {
    this.#ids.got(id, choice, ids);
  }

  /** Its client has what there is to have. */
  done(id: string): Promise<void> {
    const ending = this.#delete(id).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return ending;
  }

  async #delete(id: string): Promise<void> {
    const seq = this.#own.get(id);
    this.#own.delete(id);
    if (seq === undefined) return;
    const forgotten = this.#ids.forget(id);
    try {
      // A server that is killed may have deleted records again when it is back, and what was filed last in any case.
      const last = await this.#stream.put({ id, owner: this.router }, seq);
      if (last !== undefined) await this.#stream.remove(last);
    } catch {
      // The server is away; another router answers it when this one is gone, for nobody.
    }
    await forgotten;
  }

  /** What has become of a request. @returns undefined for one that is not known */
  async find(id: string): Promise<{ readonly answer: DurableAnswer | undefined } | undefined> {
    const found = await this.#stream.get(id);
    return found && isKnown(found.record) ? { answer: found.record.answer } : undefined;
  }

  /** Leaves what is not done with to others, with the ids that are there; the connection must be there until then. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    // Whoever hears that this router leaves asks for the ids at once.
    const filed = Promise.all([this.#ids.close(), ...this.#ending]);
    await Promise.race([filed, new Promise((resolve) => setTimeout(resolve, LEAVING_MS))]);
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

  async #takeOver(seq: number, id: string, request: Request): Promise<void> {
    const ours = { id, owner: this.router, request };
    const taken = await this.#stream.put(ours, seq);
    if (taken === undefined) return; // another one was faster
    this.takenOver++;
    this.#options.tell?.(`request ${id} of a router that has gone is answered here`);
    void this.#answer(id, request, taken);
  }

  async #answer(id: string, request: Request, seq: number): Promise<void> {
    const before = await this.#ids.find(id, request.answerId).catch(() => []);
    this.takenOverIds += before.reduce((count, ids) => count + ids.length, 0);
    this.#ids.open(id, request.answerId, before);
    const begun: BegunAnswer = {
      resume: (choice) => this.#ids.of(id, choice),
      got: (choice, ids) => this.#ids.got(id, choice, ids),
    };
    let answer: DurableAnswer | undefined;
    for (let tries = 0; tries < MOST_TRIES && !this.#closed; tries++) {
      answer = await this.#options.answer(id, request, begun);
      if (answer.status !== 429 && answer.status !== 503) break;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    for (let tries = 0; tries < MOST_TRIES && !this.#closed; tries++) {
      try {
        await this.#stream.put({ id, owner: this.router, answer }, seq);
        await this.#ids.forget(id);
        return;
      } catch (error) {
        if (error instanceof RecordTooLarge) answer = this.#options.instead(request, answerTooLarge(error));
        else await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}

/** Whether it is asked for still, or its answer is there. */
const isKnown = ({ request, answer }: DurableRecord<unknown>): boolean => request !== undefined || answer !== undefined;

const requestTooLarge = ({ bytes, most }: RecordTooLarge): RidgepointError =>
  new RidgepointError(
    'usage',
    `the request has ${bytes} bytes as it is kept, and the NATS server takes ${most}; send a shorter one, or raise the ` +
      "server's max_payload",
  );

const answerTooLarge = ({ bytes, most }: RecordTooLarge): string =>
  `the answer has ${bytes} bytes as it is kept, and the NATS server takes ${most}; ask for less, or raise the server's ` +
  'max_payload';

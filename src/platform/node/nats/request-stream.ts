import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { NatsBus } from './nats-bus.js';

/** How long what became of a request is remembered, in seconds. */
const REMEMBERED_S = 3600;
/** How long the server may take to answer, in milliseconds. */
const PATIENCE_MS = 5000;
/** The server's number for a message whose subject has another one than was expected. */
const WRONG_LAST = 10071;

/** A record of the stream, and its number there. */
export interface Numbered<T> {
  readonly seq: number;
  readonly record: T;
}

/** A JetStream stream of one record a request, the last one; compare-and-set by the record's number. */
export class RequestStream<T extends { readonly id: string }> {
  readonly #bus: NatsBus;
  readonly #name: string;
  readonly #subjects: string;
  #ready: Promise<{ readonly client: JetStreamClient; readonly manager: JetStreamManager }> | undefined;

  /** @param what of requests is in it: a stream of its own, `ridgepoint-WHAT` */
  constructor(bus: NatsBus, what: 'requests' | 'ids') {
    this.#bus = bus;
    this.#name = `ridgepoint-${what}`;
    this.#subjects = `ridgepoint.${what}.`;
  }

  /**
   * Files a record.
   *
   * @param over the number of the record that it replaces; 0 where there is to be none
   * @param message of which the server takes one alone in two minutes
   * @returns its number; undefined where another one is there
   * @throws Error where the server cannot be reached
   */
  async put(record: T, over: number, message?: string): Promise<number | undefined> {
    const { client } = await this.#open();
    try {
      const expect = { lastSubjectSequence: over };
      const options = { expect, timeout: PATIENCE_MS, ...(message === undefined ? {} : { msgID: message }) };
      const { seq, duplicate } = await client.publish(this.#subjectOf(record.id), JSON.stringify(record), options);
      return duplicate ? undefined : seq;
    } catch (error) {
      if ((error as { readonly code?: number }).code === WRONG_LAST) return undefined;
      throw error;
    }
  }

  /** The record of a request. */
  async get(id: string): Promise<Numbered<T> | undefined> {
    const { manager } = await this.#open();
    return numbered(await manager.streams.getMessage(this.#name, { last_by_subj: this.#subjectOf(id) }));
  }

  /** All records, in the order in which they were filed. */
  async *all(): AsyncGenerator<Numbered<T>, void> {
    const { manager } = await this.#open();
    for (let seq = 1; ;) {
      const asked = { seq, next_by_subj: `${this.#subjects}*` };
      const found = numbered<T>(await manager.streams.getMessage(this.#name, asked));
      if (found === undefined) return;
      yield found;
      seq = found.seq + 1;
    }
  }

  async remove(seq: number): Promise<void> {
    const { manager } = await this.#open();
    await manager.streams.deleteMessage(this.#name, seq, false);
  }

  /** Files a record over whatever is there, and waits for no word of it. */
  async tell(record: T): Promise<void> {
    await this.#open();
    this.#bus.publish(this.#subjectOf(record.id), record);
  }

  /** Removes all of a request. */
  async forget(id: string): Promise<void> {
    const { manager } = await this.#open();
    await manager.streams.purge(this.#name, { filter: this.#subjectOf(id) });
  }

  /** Ids may hold what means something in a subject. */
  #subjectOf(id: string): string {
    return this.#subjects + Buffer.from(id).toString('base64url');
  }

  #open(): Promise<{ readonly client: JetStreamClient; readonly manager: JetStreamManager }> {
    return (this.#ready ??= this.#make().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    }));
  }

  async #make(): Promise<{ readonly client: JetStreamClient; readonly manager: JetStreamManager }> {
    if (!this.#bus.connected) throw new Error('the NATS server is away');
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const connection = await this.#bus.connection();
    const manager = await jetstreamManager(connection, { timeout: PATIENCE_MS });
    const ns = 1e9;
    await manager.streams.add({
      ...{ name: this.#name, subjects: [`${this.#subjects}*`], max_msgs_per_subject: 1 },
      ...{ max_age: REMEMBERED_S * ns, duplicate_window: 120 * ns },
    });
    return { client: jetstream(connection), manager };
  }
}

function numbered<T>(message: StoredMsg | null): Numbered<T> | undefined {
  return message === null ? undefined : { seq: message.seq, record: message.json<T>() };
}

import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { RidgepointError } from '../../../errors.js';
import type { NatsBus } from './nats-bus.js';

/** How long what became of a request is remembered, in seconds. */
const REMEMBERED_S = 3600;
/** How long the server may take to answer, in milliseconds. */
const PATIENCE_MS = 5000;
/** The server's number for a message whose subject has another one than was expected. */
const WRONG_LAST = 10071;

/** Most bytes of what is sent beside a record: its message id, and the number of the one that it replaces. */
const HEAD_BYTES = 256;

/** A record that is larger than the server takes messages. */
export class RecordTooLarge extends Error {
  override readonly name = 'RecordTooLarge';

  constructor(
    readonly bytes: number,
    /** Bytes that would have been taken. */
    readonly most: number,
  ) {
    super(`${bytes} bytes are to be filed, and the NATS server takes ${most} (its max_payload)`);
  }
}

/** A record of the stream, and its number there. */
export interface Numbered<T> {
  readonly seq: number;
  readonly record: T;
}

interface Open {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** A JetStream stream of one record a request, the last one; compare-and-set by the record's number. */
export class RequestStream<T extends { readonly id: string }> {
  readonly #bus: NatsBus;
  readonly #name: string;
  readonly #subjects: string;
  #ready: Promise<Open> | undefined;

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
   * @throws RecordTooLarge, before anything is sent
   * @throws RidgepointError where the server refuses to keep it, with the server's words
   * @throws Error where the server cannot be reached
   */
  async put(record: T, over: number, message?: string): Promise<number | undefined> {
    const { client } = await this.#open();
    try {
      const expect = { lastSubjectSequence: over };
      const options = { expect, timeout: PATIENCE_MS, ...(message === undefined ? {} : { msgID: message }) };
      const { seq, duplicate } = await client.publish(this.#subjectOf(record.id), this.#bytesOf(record), options);
      return duplicate ? undefined : seq;
    } catch (error) {
      if ((error as { readonly code?: number }).code === WRONG_LAST) return undefined;
      throw refusalOf(error as Error);
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

  /** Files a record over whatever is there, and waits for no word of it. @throws RecordTooLarge */
  async tell(record: T): Promise<void> {
    const { connection } = await this.#open();
    const bytes = this.#bytesOf(record);
    // What the client would keep until the server is back has been overtaken by then.
    if (this.#bus.connected) connection.publish(this.#subjectOf(record.id), bytes);
  }

  /** Files a record over whatever is there, and resolves when the server has it. @throws as `put` */
  async set(record: T): Promise<void> {
    const { client } = await this.#open();
    await client.publish(this.#subjectOf(record.id), this.#bytesOf(record), { timeout: PATIENCE_MS });
  }

  /** Removes all of a request. */
  async forget(id: string): Promise<void> {
    const { manager } = await this.#open();
    await manager.streams.purge(this.#name, { filter: this.#subjectOf(id) });
  }

  #bytesOf(record: T): Uint8Array {
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    const most = this.#bus.mostBytes - HEAD_BYTES;
    if (bytes.length > most) throw new RecordTooLarge(bytes.length, most);
    return bytes;
  }

  /** Ids may hold what means something in a subject. */
  #subjectOf(id: string): string {
    return this.#subjects + Buffer.from(id).toString('base64url');
  }

  #open(): Promise<Open> {
    return (this.#ready ??= this.#make().catch((error: unknown) => {
      this.#ready = undefined;
      throw refusalOf(error as Error);
    }));
  }

  async #make(): Promise<Open> {
    if (!this.#bus.connected) throw new Error('the NATS server is away');
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const connection = await this.#bus.connection();
    const manager = await jetstreamManager(connection, { timeout: PATIENCE_MS });
    const ns = 1e9;
    await manager.streams.add({
      ...{ name: this.#name, subjects: [`${this.#subjects}*`], max_msgs_per_subject: 1 },
      ...{ max_age: REMEMBERED_S * ns, duplicate_window: 120 * ns },
    });
    return { connection, client: jetstream(connection), manager };
  }
}

/** What the server says where it is there and does not keep it: it has no JetStream, or no room. */
function refusalOf(cause: Error): Error {
  if (cause.name === 'JetStreamNotEnabled') {
    return new RidgepointError('network', 'the NATS server has no JetStream; start it with nats-server -js', { cause });
  }
  if (cause.name !== 'JetStreamApiError') return cause;
  return new RidgepointError('network', `the NATS server says: ${cause.message}`, { cause });
}

function numbered<T>(message: StoredMsg | null): Numbered<T> | undefined {
  return message === null ? undefined : { seq: message.seq, record: message.json<T>() };
}

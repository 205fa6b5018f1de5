import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import type { ControlBus } from '../../../cluster/control/bus.js';
import { RidgepointError } from '../../../errors.js';
import { keepSecret } from '../secrets.js';
import type { WireTls } from '../wire/connection.js';
import type { NatsUrl } from './nats-url.js';

/** How long after its loss a connection is tried anew, in milliseconds, and by how much that varies at most. */
const [RETRY_MS, RETRY_SPREAD_MS] = [100, 200];
/** A server that does not answer so many questions, one each so many milliseconds, is taken to be gone. */
const [PING_MS, MOST_PINGS] = [2000, 2];

export interface NatsBusOptions {
  /** At `tls://`: who must have signed the server's certificate, and what is shown to it. */
  readonly tls?: WireTls;
  /** Under which the server shows this connection. */
  readonly name: string;
  /** Told when the server comes, goes or refuses, a sentence each. */
  readonly tell?: (what: string) => void;
}

/**
 * Messages through a NATS server. It need not be there: it is looked for until it is, and whoever was known before it
 * went stays known meanwhile.
 */
export class NatsBus implements ControlBus {
  readonly #url: NatsUrl;
  readonly #options: NatsBusOptions;
  readonly #opened: Promise<NatsConnection | undefined>;
  readonly #subscriptions: { readonly subject: string; readonly take: (message: unknown) => void }[] = [];
  readonly #whenConnected: (() => void)[] = [];
  /** Subjects of messages that were too large, each of which is told of once. */
  readonly #tooLarge = new Set<string>();
  #connection: NatsConnection | undefined;
  #connected = false;
  #closed = false;
  /** Why there is no connection and will be none. */
  #why = 'this end was closed';

  constructor(url: NatsUrl, options: NatsBusOptions) {
    this.#url = url;
    this.#options = options;
    if (url.password !== undefined) keepSecret(url.password);
    this.#opened = this.#open().catch((error: unknown) => {
      this.#why = (error as Error).message;
      this.#tell(`${url.shown} cannot be used: ${this.#why}`);
      return undefined;
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The connection, once there is one. @throws RidgepointError where the server refuses it */
  async connection(): Promise<NatsConnection> {
    const connection = await this.#opened;
    if (connection === undefined) {
      throw new RidgepointError('usage', `${this.#url.shown} cannot be used: ${this.#why}`);
    }
    return connection;
  }

  get mostBytes(): number {
    return this.#connection?.info?.max_payload ?? Infinity;
  }

  publish(subject: string, message: object): void {
    // What the client would keep until the server is back has been overtaken by then.
    if (!this.#connected) return;
    const bytes = new TextEncoder().encode(JSON.stringify(message));
    if (bytes.length <= this.mostBytes) return this.#connection!.publish(subject, bytes);
    if (this.#tooLarge.has(subject)) return;
    this.#tooLarge.add(subject);
    this.#tell(
      `${this.#url.shown} takes messages of ${this.mostBytes} bytes (max_payload), and one to ${subject} has ` +
        `${bytes.length}: such are not sent until its max_payload is raised`,
    );
  }

  subscribe(subject: string, take: (message: unknown) => void): void {
    this.#subscriptions.push({ subject, take });
    if (this.#connection !== undefined) this.#listen(this.#connection, subject, take);
  }

  onConnected(callback: () => void): void {
    this.#whenConnected.push(callback);
    if (this.#connected) callback();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connected = false;
    // What was published last goes out first, where there is somebody to take it.
    await Promise.race([this.#connection?.flush().catch(() => undefined), new Promise((go) => setTimeout(go, 200))]);
    await this.#connection?.close();
  }

  async #open(): Promise<NatsConnection | undefined> {
    const { server, user, password, token, isTls } = this.#url;
    const connection = await this.#first({
      ...{
        servers: server,
        name: this.#options.name,
        user,
        pass: password,
        token,
        ...(isTls ? { tls: { ...this.#options.tls } } : {}),
      },
      ...{ maxReconnectAttempts: -1, ignoreClusterUpdates: true },
      ...{ pingInterval: PING_MS, maxPingOut: MOST_PINGS, timeout: PING_MS * MOST_PINGS },
      reconnectDelayHandler: retryMs,
    });
    if (connection === undefined || this.#closed) {
      await connection?.close();
      return undefined;
    }
    this.#connection = connection;
    for (const { subject, take } of this.#subscriptions) this.#listen(connection, subject, take);
    void this.#watch(connection);
    this.#came();
    return connection;
  }

  /**
   * Connects as soon as the server is there.
   *
   * @returns undefined where this end is closed meanwhile
   * @throws Error where the server is there and trying again is of no use
   */
  async #first(options: NodeConnectionOptions): Promise<NatsConnection | undefined> {
    const { connect } = await import('@nats-io/transport-node');
    // The client's own way to wait for a server says nothing of certificates that do not fit.
    for (let isTold = false; !this.#closed; await new Promise((resolve) => setTimeout(resolve, retryMs()))) {
      try {
        return await connect(options);
      } catch (error) {
        if (isRefusal(error as Error)) throw error;
        if (isTold || (error as Error).name !== 'TimeoutError') continue;
        isTold = true;
        this.#tell(`${this.#url.shown} takes connections and says nothing; it may ask for a certificate`);
      }
    }
    return undefined;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') this.#came();
      else if ((type === 'disconnect' || type === 'close') && this.#connected) {
        this.#connected = false;
        if (!this.#closed) this.#tell(`${this.#url.shown} has gone; who is known stays known`);
      }
    }
  }

  #came(): void {
    this.#connected = true;
    this.#tell(`${this.#url.shown} is there`);
    for (const callback of this.#whenConnected) callback();
  }

  #listen(connection: NatsConnection, subject: string, take: (message: unknown) => void): void {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          take(message.json());
        } catch (fault) {
          // Somebody's who does not speak our language.
          if (!(fault instanceof SyntaxError)) throw fault;
        }
      },
    });
  }

  #tell(what: string): void {
    this.#options.tell?.(what);
  }
}

const retryMs = (): number => RETRY_MS + RETRY_SPREAD_MS * Math.random();

/** Whether a server is there and does not let us in, or is not the one that is wanted. */
function isRefusal(error: Error & { readonly code?: unknown }): boolean {
  const isCertificate = typeof error.code === 'string' && /CERT|VERIFY|ISSUER|TLS|SSL|SIGNATURE/.test(error.code);
  return isCertificate || error.name === 'AuthorizationError' || error.message.includes('does not support');
}

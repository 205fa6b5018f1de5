import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { admissionOf, createContext, modelsOf, type ApiOptions, type KeptAnswers } from '../serving/context.js';
import type { Lifetimes } from '../serving/http/lifetime.js';
import { createApp } from './app.js';
import type { KeptRequests } from '../serving/kept-requests.js';
import { socketLifetimes } from './exchange.js';
import { AllowedHosts } from './http/allowed-hosts.js';
import { ApiKeys } from './http/api-keys.js';
import { RequestLog } from './http/request-log.js';
import { Metrics } from './metrics.js';
import { OutlookMetrics } from './outlook-metrics.js';

/** How long clients have to read the last of what was sent once their requests were ended. */
const FAREWELL_MS = 1000;
/** How much longer than a request may take a connection may be without a byte. */
const IDLE_MS = 60_000;

export interface ServerOptions extends ApiOptions {
  /** Where requests are kept, and what became of them; default nowhere. */
  readonly kept?: KeptRequests & KeptAnswers;
  /** Keys that are taken; none lets everybody in. */
  readonly apiKeys?: readonly string[];
  /** Names, beside addresses and `localhost`, under which the server may be asked; default any. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages that may call the server; none by default. `*` is all. */
  readonly corsOrigins?: readonly string[];
  /** Largest request body, in bytes; default 4 MiB. */
  readonly bodyLimit?: number;
  /** Longest time for a request, from its head to the end of its answer; default 600 s. */
  readonly requestTimeoutMs?: number;
  /** How long a reader may take nothing before it is cut off; default 30 s. */
  readonly stallTimeoutMs?: number;
  /** Longest silence of a stream before a comment keeps its connection alive; 0 sends none; default 15 s. */
  readonly keepAliveMs?: number;
  /** Whether there is a page at `/` that shows what the server does; default no. */
  readonly page?: boolean;
  /** How long a connection may be without a request; default 72 s. */
  readonly connectionIdleMs?: number;
  /** As Fastify takes it; default none. */
  readonly logger?: FastifyServerOptions['logger'];
  /** Adds metrics of its own to `/metrics`. */
  readonly instrument?: (registry: Metrics['registry']) => void;
  /** Show CPU, memory and event loop of the process in `/metrics`. */
  readonly processMetrics?: boolean;
}

/** An OpenAI-compatible server over one engine. It neither loads nor disposes the engine. */
export class InferenceServer {
  readonly #lifetimes: Lifetimes;
  readonly #requestLog: RequestLog;
  #draining = false;
  #closing: Promise<void> | undefined;

  private constructor(
    /** For tests that need no socket. */
    readonly app: FastifyInstance,
    lifetimes: Lifetimes,
    requestLog: RequestLog,
  ) {
    this.#lifetimes = lifetimes;
    this.#requestLog = requestLog;
  }

  static async create(options: ServerOptions): Promise<InferenceServer> {
    const { engine } = options;
    const models = modelsOf(options);
    const requestMs = options.requestTimeoutMs ?? 600_000;
    const lifetimes = socketLifetimes(requestMs);
    const admission = admissionOf(options);
    const metrics = new Metrics(engine, () => admission.inUse, models.names[0]);
    if (options.processMetrics) metrics.addProcess();
    options.instrument?.(metrics.registry);
    const expected = new OutlookMetrics(metrics.registry);
    const keepAliveMs = options.keepAliveMs ?? 15_000;
    const context = createContext(options, { metrics, expected }, { models, admission, keepAliveMs });
    const { outlook } = context;
    if (outlook !== undefined) expected.showPace(() => outlook.prices.pace);
    const requestLog = new RequestLog(metrics);
    const app = await createApp(context, {
      ...{ requestLog, metrics, lifetimes, kept: options.kept },
      stallMs: options.stallTimeoutMs ?? 30_000,
      keys: new ApiKeys(options.apiKeys ?? []),
      hosts: new AllowedHosts(options.allowedHosts),
      corsOrigins: options.corsOrigins ?? [],
      bodyLimit: options.bodyLimit ?? 4 * 2 ** 20,
      idleMs: requestMs + IDLE_MS,
      logger: options.logger ?? false,
      draining: () => server.#draining,
      page: options.page ?? false,
      connectionIdleMs: options.connectionIdleMs,
    });
    context.grammars.warmUp();
    const server = new InferenceServer(app, lifetimes, requestLog);
    return server;
  }

  /** Whether it was told to end, after which it cannot listen. */
  get stopping(): boolean {
    return this.#draining;
  }

  /** @returns the address, for example `http://127.0.0.1:8000` */
  listen(host: string, port: number): Promise<string> {
    return this.app.listen({ host, port });
  }

  /**
   * Takes no more requests and lets those under way finish.
   *
   * @param graceMs after which they are ended
   */
  shutdown(graceMs: number): Promise<void> {
    return (this.#closing ??= this.#shutdown(graceMs));
  }

  /** Ends every request now, with an error to its client. */
  abort(): void {
    this.#draining = true;
    this.#lifetimes.endAll('shutdown');
    setTimeout(() => this.app.server.closeAllConnections(), FAREWELL_MS).unref();
  }

  async #shutdown(graceMs: number): Promise<void> {
    this.#draining = true;
    const timer = setTimeout(() => this.abort(), graceMs);
    await this.app.close();
    clearTimeout(timer);
    await this.#requestLog.written();
  }
}

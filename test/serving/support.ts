import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TextEngine } from '../../src/engine/api.js';
import { InferenceServer, type ServerOptions } from '../../src/server/server.js';

export interface Running {
  readonly server: InferenceServer;
  readonly url: string;
}

/** A server on a free port; closed after the test that calls this. */
export async function start(engine: TextEngine, options: Partial<ServerOptions> = {}): Promise<Running> {
  const server = await InferenceServer.create({ engine, ...options });
  onTestFinished(async () => {
    server.abort();
    await server.shutdown(0);
  });
  return { server, url: await server.listen('127.0.0.1', 0) };
}

/** Answers of all endpoints, as far as tests look at them. */
export interface Body {
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly message: { readonly content: string };
    readonly logprobs: object | null;
    readonly finish_reason: string | null;
    readonly token_ids: readonly number[];
    readonly prompt_token_ids: readonly number[];
  }[];
  readonly usage: object;
  readonly error: { readonly message: string };
  readonly count: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: raw ? (body as string) : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

/** The data of a stream's events. */
export async function events(response: Response): Promise<string[]> {
  return (await response.text())
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
}

/** Waits until something holds; fails the test if it never does. */
export async function until(holds: () => boolean, patience = 600_000): Promise<void> {
  const end = performance.now() + patience;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${patience} ms in vain for ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A request as it stands on the wire. */
export function wire(fields: object): string {
  const body = JSON.stringify({ prompt: 'x', ...fields });
  return `POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** A bare socket, which may be closed in any way. */
export function bare(url: string): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  return socket.on('error', () => undefined);
}

const metric = async (server: InferenceServer, name: string): Promise<number> =>
  Number(new RegExp(`${name}\\{[^}]*\\} (\\S+)`).exec((await server.app.inject('/metrics')).body)?.[1] ?? 0);
/** Places of the queue that are taken. */
export const inFlight = (server: InferenceServer): Promise<number> => metric(server, 'num_choices_in_flight');

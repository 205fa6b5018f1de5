import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Waiting {
  readonly response: ServerResponse;
  readonly closed: Set<() => void>;
}

/** By socket, the requests on it that are not done with. */
const bySocket = new WeakMap<Socket, Map<ServerResponse, Waiting>>();

/**
 * Calls back, once, when a request is done with: its answer is out, or its connection is closed. A response alone does
 * not tell: those of requests sent ahead on one connection wait for it in a queue, and when it closes they are never
 * told.
 *
 * @returns takes the wish back
 */
export function onClosed(request: IncomingMessage, response: ServerResponse, callback: () => void): () => void {
  const { socket } = request;
  if (response.destroyed || socket.destroyed) {
    queueMicrotask(callback);
    return () => undefined;
  }
  const waiting = waitingOn(socket);
  let entry = waiting.get(response);
  if (entry === undefined) {
    const closed = new Set<() => void>();
    entry = { response, closed };
    waiting.set(response, entry);
    response.once('close', () => {
      waiting.delete(response);
      tell(closed);
    });
  }
  const { closed } = entry;
  closed.add(callback);
  return () => void closed.delete(callback);
}

function waitingOn(socket: Socket): Map<ServerResponse, Waiting> {
  const known = bySocket.get(socket);
  if (known !== undefined) return known;
  const waiting = new Map<ServerResponse, Waiting>();
  bySocket.set(socket, waiting);
  socket.once('close', () => {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { closed } of all) tell(closed);
  });
  return waiting;
}

function tell(closed: Set<() => void>): void {
  const callbacks = [...closed];
  closed.clear();
  for (const callback of callbacks) callback();
}

/** When a half-closed client is probed, in milliseconds after it fell silent; again and again at the last distance. */
const PROBES = [0, 50, 200, 1000, 5000, 15_000];

/**
 * Lets a client that has shut its sending side have its answer. One that has left looks the same until something is
 * sent to it: its system refuses that, and the next thing sent fails. So something is, which a client that still
 * listens passes over: an interim response before the head of an answer, a comment in a stream.
 */
export function answerHalfClosed(server: Server): void {
  (server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => probe(socket, 0));
  });
}

function probe(socket: Socket, count: number): void {
  const waiting = bySocket.get(socket);
  if (socket.destroyed || waiting === undefined || waiting.size === 0) return;
  for (const { response } of waiting.values()) if (response.socket === socket) say(response);
  const last = PROBES.length - 1;
  const next = count < last ? PROBES[count + 1] - PROBES[count] : PROBES[last];
  setTimeout(() => probe(socket, count + 1), next).unref();
}

function say(response: ServerResponse): void {
  if (response.writableEnded || response.writableNeedDrain) return;
  if (!response.headersSent) {
    // Before HTTP/1.1 there were no interim responses; such a client is believed to listen.
    if (response.req.httpVersion === '1.1') response.writeProcessing();
  } else if (/^text\/event-stream/.test(String(response.getHeader('content-type') ?? ''))) response.write(':\n\n');
}

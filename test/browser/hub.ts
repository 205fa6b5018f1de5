import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const root = join(import.meta.dirname, '..', '..');

/** What a Hub does to a request for weights. */
export interface Trick {
  /** Ends the connection after so many bytes. */
  readonly cutAfter?: number;
  /** Sends other bytes of the same length. */
  readonly lies?: boolean;
  /** Answers a range with the whole file. */
  readonly wholly?: boolean;
  readonly etag?: string;
  /** The file has so many bytes, whatever is listed. */
  readonly length?: number;
  readonly status?: number;
}

/** A Hub with tiny-tales as `some/model`, whose answers to requests for weights are tricked, one trick a request. */
export class FakeHub {
  readonly tricks: Trick[] = [];
  /** Bytes of weights sent. */
  sent = 0;
  requests: string[] = [];
  readonly #files = new Map<string, Buffer>();

  constructor() {
    const folder = join(root, 'models', 'tiny-tales');
    for (const name of readdirSync(folder)) {
      if (/\.(json|safetensors)$/.test(name)) this.#files.set(name, readFileSync(join(folder, name)));
    }
  }

  get size(): number {
    return this.#files.get('model.safetensors')!.length;
  }

  /** For `serveStatic`, below `/hub/`. */
  readonly answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (!path.startsWith('/hub/')) return false;
    this.requests.push([path, request.headers.range].filter((part) => part !== undefined).join(' '));
    if (path === '/hub/api/models/some/model/revision/main') this.#list(response);
    else if (path === '/hub/api/models/some/gated/revision/main') response.writeHead(403).end();
    else if (path === '/hub/api/models/some/private/revision/main') response.writeHead(401).end();
    else if (path === '/hub/api/models/some/trouble/revision/main') response.writeHead(503).end();
    else if (path.startsWith(`/hub/some/model/resolve/${COMMIT}/`))
      this.#send(path.split('/').at(-1)!, request, response);
    else if (path.startsWith('/hub/page/'))
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    else response.writeHead(404).end();
    return true;
  };

  #list(response: ServerResponse): void {
    const siblings = [...this.#files].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      ...(rfilename.endsWith('.safetensors')
        ? { lfs: { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } }
        : {}),
    }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ sha: COMMIT, siblings }));
  }

  #send(name: string, request: IncomingMessage, response: ServerResponse): void {
    let bytes = this.#files.get(name)!;
    if (!name.endsWith('.safetensors')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(bytes);
      return;
    }
    const trick = this.tricks.shift() ?? {};
    if (trick.status !== undefined) {
      response.writeHead(trick.status).end();
      return;
    }
    if (trick.length !== undefined) bytes = bytes.subarray(0, trick.length);
    const range = trick.wholly ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = range === null ? 0 : Number(range[1]);
    const body = trick.lies ? Buffer.alloc(bytes.length - from, 7) : bytes.subarray(from);
    response.writeHead(range === null ? 200 : 206, {
      'content-length': body.length,
      etag: trick.etag ?? '"one"',
      ...(range === null ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    const part = trick.cutAfter === undefined ? body : body.subarray(0, trick.cutAfter);
    this.sent += part.length;
    response.write(part, () => {
      if (part.length < body.length) setTimeout(() => response.destroy(), 200);
      else response.end();
    });
  }
}

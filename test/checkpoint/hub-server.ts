import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A stand-in for the Hub: one model, ranges, redirects to a second path, and faults on demand. */
export class HubServer {
  readonly requests: { path: string; range?: string; auth?: string }[] = [];
  /** How many more responses for large files are cut, and after how many bytes. */
  cuts = 0;
  cutAfter = 0;
  /** Bytes of files sent. */
  sent = 0;
  /** What every request is answered with, if not 200. */
  status = 200;
  ignoreRanges = false;
  /** Delivers a byte of large files other than it is. */
  corrupt = false;

  readonly #server: Server;

  private constructor(
    server: Server,
    readonly model: string,
    readonly files: Map<string, Uint8Array>,
  ) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  static async start(model: string, files: Record<string, Uint8Array | string>): Promise<HubServer> {
    const encode = (content: Uint8Array | string) =>
      typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HubServer(
      server,
      model,
      new Map(Object.entries(files).map(([name, content]) => [name, encode(content)])),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '').split('?')[0]);
    this.requests.push({ path, range: request.headers.range, auth: request.headers.authorization });
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (this.status !== 200) return json(this.status, { error: 'no' });
    const api = `/api/models/${this.model}`;
    if (path === `${api}/revision/main`) return json(200, { _id: '1', id: this.model, sha: COMMIT });
    const tree = `${api}/tree/${COMMIT}`;
    if (path === tree || path.startsWith(`${tree}/`)) {
      const entries = this.#entries(path.slice(tree.length + 1));
      return entries.length > 0 ? json(200, entries) : json(404, { error: 'Not found' });
    }
    const resolve = `/${this.model}/resolve/${COMMIT}/`;
    const name = path.startsWith(resolve) ? path.slice(resolve.length) : path.replace(/^\/cdn\//, '');
    const content = this.files.get(name);
    if (content === undefined || name === path) return json(404, { error: 'Not found' });
    if (path.startsWith(resolve) && name.endsWith('.safetensors')) {
      response.writeHead(302, { location: `/cdn/${name}` }).end();
      return;
    }
    this.#send(name, content, request, response);
  }

  /** What is directly inside a folder of the model, or inside the model itself. */
  #entries(folder: string): object[] {
    const inside = folder === '' ? '' : `${folder}/`;
    const names = [...this.files.keys()].filter((name) => name.startsWith(inside));
    const [folders, files] = [true, false].map((isFolder) =>
      names.filter((name) => name.slice(inside.length).includes('/') === isFolder),
    );
    const paths = new Set(folders.map((name) => inside + name.slice(inside.length).split('/')[0]));
    return [
      ...[...paths].map((path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })),
      ...files.map((name) => this.#entry(name)),
    ];
  }

  /** As the tree API lists it: large files by SHA-256, small ones by git's object id. */
  #entry(name: string) {
    const content = this.files.get(name) as Uint8Array;
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const entry = { type: 'file', path: name, size: content.length, oid };
    if (!name.endsWith('.safetensors')) return entry;
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { ...entry, lfs: { oid: sha256, size: content.length, pointerSize: 134 } };
  }

  #send(name: string, content: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
    const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = match && !this.ignoreRanges ? Number(match[1]) : 0;
    const body = Buffer.from(content.subarray(from));
    const isLarge = name.endsWith('.safetensors');
    if (this.corrupt && isLarge) body[0] ^= 1;
    const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length, ...(from > 0 ? range : {}) });
    this.sent += isLarge && this.cuts > 0 ? this.cutAfter : body.length;
    if (isLarge && this.cuts > 0) {
      this.cuts--;
      response.write(body.subarray(0, this.cutAfter), () => setTimeout(() => response.destroy(), 20));
    } else {
      response.end(body);
    }
  }
}

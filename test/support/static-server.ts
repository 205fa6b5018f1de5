import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.css': 'text/css',
};

export interface StaticServer {
  readonly url: string;
  /** Paths asked for, with method and range. */
  readonly log: string[];
  close(): Promise<void>;
}

export interface StaticOptions {
  /** Folders by the path they are served under, the longest first. */
  readonly folders: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers by itself where it returns true. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A static host with ranges. */
export async function serveStatic({ folders, headers = {}, answer }: StaticOptions): Promise<StaticServer> {
  const log: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    log.push([request.method, path, request.headers.range].filter((part) => part !== undefined).join(' '));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (answer?.(request, response)) return;
    const under = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    sendFile(request, response, under === undefined ? undefined : join(folders[under], path.slice(under.length)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: string | undefined): void {
  const info = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === undefined || !info?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range === null ? 0 : Number(range[1]);
  const end = range === null || range[2] === '' ? info.size - 1 : Math.min(Number(range[2]), info.size - 1);
  response.writeHead(range === null ? 200 : 206, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': Math.max(0, end - start + 1),
    etag: `"${info.size}-${Math.round(info.mtimeMs)}"`,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${info.size}` }),
  });
  if (request.method === 'HEAD' || info.size === 0) response.end();
  else createReadStream(file, { start, end }).pipe(response);
}

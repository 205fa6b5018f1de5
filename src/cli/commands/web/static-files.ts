import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
};

/** What the page may load, and the isolation that gives it finer clocks. */
const HEADERS = {
  'content-security-policy': "default-src 'self'; connect-src 'self' https:; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** Folders by the path they are served under, longer paths first. */
export type Mounts = readonly (readonly [path: string, folder: string])[];

/** The file that a path means; undefined where there can be none: names with dots or separators lead elsewhere. */
function fileOf(mounts: Mounts, path: string): string | undefined {
  const mount = mounts.find(([prefix]) => path.startsWith(prefix));
  if (mount === undefined) return undefined;
  const inner = path.slice(mount[0].length) || 'index.html';
  const parts = inner.split('/');
  return parts.some((part) => part === '' || part.startsWith('.') || /[\\:\0]/.test(part))
    ? undefined
    : join(mount[1], ...parts);
}

/** Bytes `from` to `to` that a request wants of a file; undefined for all of it. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const found = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  if (found === null) return undefined;
  const from = Number(found[1]);
  return { from, to: found[2] === '' ? size - 1 : Math.min(Number(found[2]), size - 1) };
}

/** Answers a request for a file, or a part of one. */
export async function answerFile(mounts: Mounts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  let path: string;
  try {
    path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
  } catch {
    response.writeHead(400).end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const file = fileOf(mounts, path);
  const info = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || !info?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const range = rangeOf(request.headers.range, info.size);
  if (range !== undefined && range.from > range.to) {
    response.writeHead(416, { 'content-range': `bytes */${info.size}` }).end();
    return;
  }
  const { from, to } = range ?? { from: 0, to: info.size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': to - from + 1,
    'accept-ranges': 'bytes',
    etag: `"${info.size}-${Math.round(info.mtimeMs)}"`,
    ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${info.size}` }),
  });
  if (request.method === 'HEAD' || info.size === 0) response.end();
  else await pipeline(createReadStream(file, { start: from, end: to }), response).catch(() => response.destroy());
}

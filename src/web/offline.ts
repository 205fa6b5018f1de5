/** The page without a network: a service worker that keeps the page's own files and the embedded model. */

/** Written in by the build: paths below the page's folder, and a name of what they hold. */
declare const RIDGEPOINT_FILES: readonly string[];
declare const RIDGEPOINT_BUILD: string;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  addEventListener(name: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(name: 'fetch', listener: (event: Fetching) => void): void;
}

const scope = globalThis as unknown as Scope;
const KEPT = `ridgepoint page ${RIDGEPOINT_BUILD}`;
const own = new Set(RIDGEPOINT_FILES.map((path) => new URL(path, scope.registration.scope).href));
const model = new URL('models/tiny-tales/', scope.registration.scope).href;

/** A file's address as it is kept: the folder is its page. */
function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return pathname.endsWith('/') ? `${origin}${pathname}index.html` : `${origin}${pathname}`;
}

/** The part of a kept file that was asked for, as a server would send it. */
async function kept(request: Request): Promise<Response | undefined> {
  const found = await (await caches.open(KEPT)).match(addressOf(request.url));
  if (found === undefined) return undefined;
  const bytes = await found.blob();
  const headers = new Headers(found.headers);
  headers.set('content-length', String(bytes.size));
  if (request.method === 'HEAD') return new Response(null, { headers });
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '');
  if (range === null) return new Response(bytes, { headers });
  const from = Number(range[1]);
  const to = range[2] === '' ? bytes.size - 1 : Math.min(Number(range[2]), bytes.size - 1);
  headers.set('content-range', `bytes ${from}-${to}/${bytes.size}`);
  headers.set('content-length', String(to - from + 1));
  return new Response(bytes.slice(from, to + 1), { status: 206, headers });
}

/** The network's answer while there is one, so that nobody is kept on an old page. */
async function answer(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await kept(request);
    if (found !== undefined) return found;
    // All files of the embedded model are kept: another one, which a model may have, is not there.
    if (request.url.startsWith(model)) return new Response(null, { status: 404 });
    throw error;
  }
}

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll([...own])));
});
scope.addEventListener('activate', (event) => {
  const older = async (): Promise<void> => {
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith('ridgepoint page ') && name !== KEPT).map((name) => caches.delete(name)),
    );
  };
  event.waitUntil(older());
});
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const known = own.has(addressOf(request.url)) || request.url.startsWith(model);
  if (known && ['GET', 'HEAD'].includes(request.method)) event.respondWith(answer(request));
});

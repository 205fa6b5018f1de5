import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { statusOf } from '../outlook/status.js';
import { HTML } from '../page/html.js';
import { page } from '../page/script.js';
import { CSS } from '../page/style.js';

/** Everything from here, nothing in somebody else's frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** What the server does right now, as JSON. */
export function statusRoute(app: FastifyInstance, { engine, outlook, models }: ServingContext): void {
  app.get('/v1/status', () => statusOf(engine, outlook, models.names[0]));
}

/** The page at `/`, and what belongs to it. */
export function pageRoutes(app: FastifyInstance): void {
  const files = [
    ['/', 'text/html', HTML],
    ['/ui/page.css', 'text/css', CSS],
    ['/ui/page.js', 'text/javascript', `(${page.toString()})();\n`],
  ] as const;
  for (const [path, type, text] of files) {
    app.get(path, (_request, reply) => reply.headers(HEADERS).type(`${type}; charset=utf-8`).send(text));
  }
}

import type { FastifyInstance } from 'fastify';
import { HTML } from './html.js';
import { page } from './script.js';
import { CSS } from './style.js';

/** Everything from here, nothing in somebody else's frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

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

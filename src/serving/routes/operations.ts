import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';

/** What whoever runs the server asks: is it well, and what is it doing. */
export function operationRoutes(app: FastifyInstance, { metrics }: ServingContext): void {
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
}

import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { ApiError } from '../errors.js';

/** What whoever runs the server asks: is it well, and what is it doing. */
export function operationRoutes(app: FastifyInstance, { engine, metrics }: ServingContext): void {
  app.get('/health', () => {
    const { failure } = engine;
    // Only a new process can help; whoever watches this one should start it.
    if (failure !== undefined) throw new ApiError(503, failure.message, { code: 'engine_failed' });
    return { status: 'ok' };
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
}

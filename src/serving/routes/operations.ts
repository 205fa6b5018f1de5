import type { ServingContext } from '../context.js';
import { ApiError } from '../errors.js';
import type { Routes } from '../http/exchange.js';
import { statusOf } from '../outlook/status.js';

/** What whoever runs the server asks: is it well, and what is it doing right now. */
export function operationRoutes(routes: Routes, { engine, outlook, models }: ServingContext): void {
  routes.get('/health', () => {
    const { failure } = engine;
    // Only a new process can help; whoever watches this one should start it.
    if (failure !== undefined) throw new ApiError(503, failure.message, { code: 'engine_failed' });
    return { status: 'ok' };
  });
  routes.get('/v1/status', () => statusOf(engine, outlook, models.names[0]));
}

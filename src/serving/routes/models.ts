import { longestSequence } from '../mapping/prompt.js';
import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';

export function modelRoutes(routes: Routes, { engine, models }: ServingContext): void {
  const describe = (id: string): object => ({
    id,
    object: 'model',
    created: models.created,
    owned_by: 'ridgepoint',
    root: engine.info.model,
    max_model_len: longestSequence(engine.info),
  });

  routes.get('/v1/models', () => ({ object: 'list', data: models.names.map(describe) }));
  // A wildcard, since names such as TinyLlama/TinyLlama-1.1B-Chat-v1.0 have a slash.
  routes.get('/v1/models/*', ({ params }) => describe(models.resolve(params['*'])));
}

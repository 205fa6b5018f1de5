import { longestSequence } from '../mapping/prompt.js';
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';

export function modelRoutes(app: FastifyInstance, { engine, models }: ServingContext): void {
  const describe = (id: string): object => ({
    id,
    object: 'model',
    created: models.created,
    owned_by: 'ridgepoint',
    root: engine.info.model,
    max_model_len: longestSequence(engine.info),
  });

  app.get('/v1/models', () => ({ object: 'list', data: models.names.map(describe) }));
  // A wildcard, since names such as TinyLlama/TinyLlama-1.1B-Chat-v1.0 have a slash.
  app.get<{ Params: { '*': string } }>('/v1/models/*', (request) => describe(models.resolve(request.params['*'])));
}

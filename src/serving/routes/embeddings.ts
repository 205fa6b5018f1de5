import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { badRequest } from '../errors.js';

/**
 * `/v1/embeddings`. Every family that is run here writes text; the hidden states of such a model are no embeddings that
 * anything could be found by, so who asks is told.
 */
export function embeddingRoute(app: FastifyInstance, { engine }: ServingContext): void {
  app.post('/v1/embeddings', () => {
    const message = `${engine.info.model} writes text and was not trained to embed it; use a model that was, on a server that runs it`;
    throw badRequest(message, 'model', 'embeddings_not_supported');
  });
}

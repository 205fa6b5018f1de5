import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context.js';
import { ApiError } from '../errors.js';
import { explanationOf } from '../outlook/explanation.js';

interface Asked {
  Params: { id: string };
  Querystring: { without?: string | string[] };
}

/** Where the time of a request went. */
export function requestRoutes(app: FastifyInstance, { lifetimes, outlook }: ServingContext): void {
  app.get<Asked>('/v1/requests/:id', async (request, reply) => {
    const { id } = request.params;
    const visit = outlook?.find(id);
    if (outlook === undefined || visit === undefined) {
      throw new ApiError(404, 'no request of this id is remembered; it is the x-request-id or the id of an answer', {
        type: 'not_found_error',
        code: 'request_not_found',
      });
    }
    const lifetime = lifetimes.open(request.raw, reply.raw);
    request.lifetime = lifetime;
    // A query may name a field twice.
    const without = [request.query.without ?? []].flat().flatMap((names) => names.split(','));
    return explanationOf(outlook, visit, without.filter(Boolean), lifetime);
  });
}

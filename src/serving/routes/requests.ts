import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { ApiError } from '../errors.js';
import { explanationOf } from '../outlook/explanation.js';

/** What became of a request that was kept; else where its time went. */
export function requestRoutes(routes: Routes, { outlook, kept }: ServingContext): void {
  routes.get('/v1/requests/:id', async (exchange) => {
    const { id } = exchange.params;
    const found = await kept?.find(id);
    if (found !== undefined) {
      const { answer } = found;
      if (answer === undefined) return { id, object: 'request', status: 'in_progress' };
      return {
        id,
        object: 'request',
        status: 'completed',
        response: { status_code: answer.status, body: answer.body },
      };
    }
    const visit = outlook?.find(id);
    if (outlook === undefined || visit === undefined) {
      throw new ApiError(404, 'no request of this id is remembered; it is the x-request-id or the id of an answer', {
        type: 'not_found_error',
        code: 'request_not_found',
      });
    }
    const lifetime = exchange.open();
    // A query may name a field twice.
    const without = [exchange.query.without ?? []].flat().flatMap((names) => names.split(','));
    return explanationOf(outlook, visit, without.filter(Boolean), lifetime);
  });
}

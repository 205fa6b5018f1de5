import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { ApiError } from '../errors.js';
import { explanationOf } from '../outlook/explanation.js';

/** Where the time of a request went. */
export function requestRoutes(routes: Routes, { outlook }: ServingContext): void {
  routes.get('/v1/requests/:id', async (exchange) => {
    const { id } = exchange.params;
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

import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import { chatRoute } from './chat.js';
import { completionRoute } from './completion.js';
import { embeddingRoute } from './embeddings.js';
import { messagesRoutes } from './messages.js';
import { modelRoutes } from './models.js';
import { operationRoutes } from './operations.js';
import { requestRoutes } from './requests.js';
import { responsesRoutes } from './responses.js';
import { tokenRoutes } from './tokens.js';

/** The whole API. */
export function apiRoutes(routes: Routes, context: ServingContext): void {
  modelRoutes(routes, context);
  completionRoute(routes, context);
  chatRoute(routes, context);
  responsesRoutes(routes, context);
  embeddingRoute(routes, context);
  messagesRoutes(routes, context);
  tokenRoutes(routes, context);
  operationRoutes(routes, context);
  requestRoutes(routes, context);
}

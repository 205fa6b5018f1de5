import { fileURLToPath } from 'node:url';
import type { CoreEngine } from '../../src/engine/engine.js';
import { Engine, type EngineOptions } from '../../src/index.js';
import { adapters } from '../support/adapters.js';

/** A template as simple as a chat can be; the embedded model has none. */
export const TEMPLATE = `{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}`;

/** The embedded model, with that template, on the first adapter there is unless told otherwise. */
export function loadReal(adapter = adapters[0], options: Partial<EngineOptions> = {}): Promise<CoreEngine> {
  const model = fileURLToPath(new URL('../../models/tiny-tales', import.meta.url));
  return Engine.load({ model, adapter, chatTemplate: TEMPLATE, maxSequences: 4, ...options });
}

import type { PolicyName } from '../../src/scheduler/policies/index.js';

/** The engine's policies, in the order they are compared. */
export const COMPARED_POLICIES: readonly PolicyName[] = ['prefill-first', 'chunked', 'decode-priority', 'static'];

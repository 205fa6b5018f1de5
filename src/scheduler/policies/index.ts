import { chunked } from './chunked.js';
import { decodePriority } from './decode-priority.js';
import type { Policy } from './policy.js';
import { prefillFirst } from './prefill-first.js';
import { fixedBatch } from './static.js';

/** How prompts and decoding share the GPU; each is described in its own file. */
export type PolicyName = 'chunked' | 'prefill-first' | 'decode-priority' | 'static';

/** Every policy by its name. */
export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  chunked,
  'prefill-first': prefillFirst,
  'decode-priority': decodePriority,
  static: fixedBatch,
};

/** What an engine, and a simulated one, does unasked. */
export const DEFAULT_POLICY: PolicyName = 'chunked';

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

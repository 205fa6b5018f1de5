import type { PolicyName } from '../api.js';
import { chunked } from './chunked.js';
import { decodePriority } from './decode-priority.js';
import type { Policy } from './policy.js';
import { prefillFirst } from './prefill-first.js';
import { fixedBatch } from './static.js';

/** Every policy by its name. */
export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  chunked,
  'prefill-first': prefillFirst,
  'decode-priority': decodePriority,
  static: fixedBatch,
};

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

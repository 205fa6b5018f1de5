import type { Policy } from './policy.js';

/** A fixed batch: whoever waits when the last batch has ended makes up the next one, and nobody joins. For benchmarks. */
export const fixedBatch: Policy = (draft) => {
  if (draft.running === 0) draft.admit();
  if (draft.prefill(draft.chunk, { admit: false }) === 0) draft.decode();
};

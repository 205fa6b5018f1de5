import type { Policy } from './policy.js';

/**
 * Decoding goes first, prompts fill what is left of the step in chunks: a long prompt delays the others' next token by
 * no more than a chunk's time (Sarathi-Serve, OSDI 2024).
 */
export const chunked: Policy = (draft) => {
  draft.decode();
  draft.prefill(draft.chunk);
};

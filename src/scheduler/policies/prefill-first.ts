import type { Policy } from './policy.js';

/** Whole prompts as soon as they come, decoding when there are none: the best TTFT, at the price of everybody's ITL. */
export const prefillFirst: Policy = (draft) => {
  if (draft.prefill(draft.chunk, { whole: true }) === 0) draft.decode();
};

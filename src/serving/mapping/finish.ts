import type { FinishReason } from '../../engine/api.js';

/** `finish_reason` of a choice that came to its end; one that was aborted has none. */
export function finishReason(reason: Exclude<FinishReason, 'abort'>): 'stop' | 'length' {
  return reason === 'eos' || reason === 'stop' ? 'stop' : 'length';
}

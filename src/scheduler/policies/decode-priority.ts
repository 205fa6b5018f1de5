import type { BatchShape } from '../../model/operations.js';
import type { Policy } from './policy.js';

/** Smaller chunks than this cost more in launches than they save in waiting. */
const LEAST_CHUNK = 16;

/**
 * Decoding goes first, and prompts only as far as the step is still predicted to meet the decode SLO. Where no chunk
 * meets it they wait until fewer sequences decode, which they will: nobody new can start decoding meanwhile. An SLO
 * that not even one sequence alone meets is met by no waiting; then prompts are served as under `chunked`.
 */
export const decodePriority: Policy = (draft, { decodeSloMs, cost }) => {
  draft.decode();
  if (draft.decoding === 0 || cost(alone(draft.shapeWith(0))) > decodeSloMs) {
    draft.prefill(draft.chunk);
    return;
  }
  for (let tokens = draft.chunk; tokens > 0; tokens = tokens > LEAST_CHUNK ? Math.max(LEAST_CHUNK, tokens >> 1) : 0) {
    if (cost(draft.shapeWith(tokens)) > decodeSloMs) continue;
    draft.prefill(tokens);
    return;
  }
};

/** A step of just the decoding sequence of the shortest context. */
function alone({ sequences }: BatchShape): BatchShape {
  const shortest = sequences.reduce((least, { context }) => Math.min(least, context), sequences[0]?.context ?? 0);
  return { sequences: [{ newTokens: 1, context: shortest }], logitRows: 1 };
}

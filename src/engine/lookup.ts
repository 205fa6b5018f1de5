import type { SpeculationOptions } from './api.js';

/**
 * Prompt lookup: finds the latest earlier place where the last `lookup` tokens stood in the same order, and guesses
 * that what followed them there follows again (Saxena, "Prompt Lookup Decoding", 2023). Text that repeats its prompt,
 * such as summaries and edits of code, is guessed well.
 *
 * @param ids all tokens so far
 * @returns at most `tokens` guesses; none where the last tokens stand nowhere else
 */
export function lookUp(ids: readonly number[], { lookup, tokens }: SpeculationOptions): number[] {
  const length = ids.length;
  if (length <= lookup) return [];
  for (let end = length - 1; end >= lookup; end--) {
    let agreeing = 0;
    while (agreeing < lookup && ids[end - 1 - agreeing] === ids[length - 1 - agreeing]) agreeing++;
    if (agreeing === lookup) return ids.slice(end, end + tokens);
  }
  return [];
}

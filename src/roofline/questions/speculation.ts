import type { BatchShape } from '../../model/operations.js';
import type { Predictor } from '../predict/predictor.js';

export interface SpeculationRow {
  readonly batch: number;
  /** Tokens guessed a round. */
  readonly draftTokens: number;
  /** Tokens a round yields, the one of the model's own included. */
  readonly tokensPerRound: number;
  /** Guessing, and checking all guesses in one step. */
  readonly draftSeconds: number;
  readonly verifySeconds: number;
  /** Mean seconds a token with guesses, and without. */
  readonly tokenSeconds: number;
  readonly plainSeconds: number;
  readonly speedup: number;
  /** Share of guesses that must be right for a round to cost no more than decoding; undefined where none suffices. */
  readonly breakEven: number | undefined;
}

export interface Speculation {
  /** What guesses; undefined where guesses are looked up in the text and cost nothing. */
  readonly draft?: Predictor;
  /** Share of guesses that are right, each given that those before it are. */
  readonly acceptance: number;
  readonly context: number;
}

/**
 * Tokens of a round of k guesses, each right with chance a: 1 + a + ... + a^k = (1 - a^(k + 1)) / (1 - a) (Leviathan et
 * al., "Fast Inference from Transformers via Speculative Decoding", 2023).
 */
export function tokensPerRound(acceptance: number, draftTokens: number): number {
  let [sum, power] = [1, 1];
  for (let at = 0; at < draftTokens; at++) sum += power *= acceptance;
  return sum;
}

/** The least acceptance that yields so many tokens a round. */
function acceptanceFor(tokens: number, draftTokens: number): number | undefined {
  if (tokens > draftTokens + 1) return undefined;
  let [below, above] = [0, 1];
  for (let turn = 0; turn < 50; turn++) {
    const middle = (below + above) / 2;
    if (tokensPerRound(middle, draftTokens) < tokens) below = middle;
    else above = middle;
  }
  return above;
}

/**
 * Whether guessing tokens and checking them in one step is faster than decoding them, for each batch and each number of
 * guesses. A check reads the weights as often as a decode step and multiplies k + 1 times as much.
 */
export function speculation(
  predictor: Predictor,
  { draft, acceptance, context }: Speculation,
  batches: readonly number[],
  lengths: readonly number[],
): SpeculationRow[] {
  return batches.flatMap((batch) => {
    const plainSeconds = predictor.decodeStepSeconds(context, batch);
    return lengths.map((draftTokens): SpeculationRow => {
      const verify: BatchShape = {
        sequences: Array.from({ length: batch }, () => ({ newTokens: draftTokens + 1, context, prefill: false })),
        logitRows: batch * (draftTokens + 1),
      };
      const verifySeconds = predictor.stepSeconds(verify);
      const draftSeconds = draft?.decodeSeconds(context, draftTokens, batch) ?? 0;
      const round = verifySeconds + draftSeconds;
      const tokens = tokensPerRound(acceptance, draftTokens);
      return {
        batch,
        draftTokens,
        tokensPerRound: tokens,
        draftSeconds,
        verifySeconds,
        tokenSeconds: round / tokens,
        plainSeconds,
        speedup: (plainSeconds * tokens) / round,
        breakEven: acceptanceFor(round / plainSeconds, draftTokens),
      };
    });
  });
}

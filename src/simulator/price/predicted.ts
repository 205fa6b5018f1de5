import type { BatchSequence } from '../../model/operations.js';
import type { Predictor } from '../../roofline/predictor.js';
import type { StepLoad, StepPrice } from './price.js';

/** The price `ridgepoint predict` gives a step. Rows that decode count at the mean of their contexts, to which attention is linear. */
export class PredictedPrice implements StepPrice {
  constructor(private readonly predictor: Predictor) {}

  seconds({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad): number {
    // A row reads its own key too, which the predictor adds to its context.
    const context = decodeRows > 0 ? decodeKeys / decodeRows - 1 : 0;
    if (prompts.length === 0) return this.predictor.decodeStepSeconds(context, decodeRows);
    const sequences: BatchSequence[] = prompts.map(({ begin, end }) => ({
      newTokens: end - begin,
      context: begin,
      prefill: true,
    }));
    for (let row = 0; row < decodeRows; row++) sequences.push({ newTokens: 1, context });
    return this.predictor.stepSeconds({ sequences, logitRows });
  }
}

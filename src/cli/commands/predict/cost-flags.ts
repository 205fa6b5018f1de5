import { PREDICT } from './flags.js';
import { refusePredict, type PredictOption } from './options.js';

/** Options of one answer of `predict cost` that the other does not take. */
const OF_TOKENS = [PREDICT.where, PREDICT.batch, PREDICT.how, PREDICT.tokens]
  .flatMap((table) => Object.keys(table))
  .concat('csv');
const OF_CHIPS = Object.keys(PREDICT.chip);

export interface CostFlags {
  readonly perToken?: boolean;
}

/** @throws RidgepointError that names an option which the answer asked for does not take */
export function checkCostFlags(flags: CostFlags): void {
  const strange = Object.keys(flags).find((flag) => (flags.perToken ? OF_CHIPS : OF_TOKENS).includes(flag));
  if (strange === undefined) return;
  const problem = flags.perToken ? 'is about chips and does not go with --per-token' : 'needs --per-token';
  refusePredict(`predict.${strange}` as PredictOption, problem);
}

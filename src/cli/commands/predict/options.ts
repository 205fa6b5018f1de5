import type { Command, OptionValues } from '@commander-js/extra-typings';
import { refuseOption } from '../../../engine/options/check.js';
import type { Wording } from '../../../wording.js';
import { addTable, type FlagsIn, type NamesIn } from '../../options/command-table.js';
import { PREDICT } from './flags.js';

type Where = FlagsIn<typeof PREDICT.where>;
type How = FlagsIn<typeof PREDICT.how>;
type Output = FlagsIn<typeof PREDICT.output>;

/** Options that every question takes. Lists stand for sweeps where a question allows more than one value. */
export type PredictFlags = Where & FlagsIn<typeof PREDICT.batch> & How & Output;

/** The options of `predict`, as errors call them. */
export type PredictOption = `predict.${NamesIn<typeof PREDICT>}`;

/** An option of `predict` that does not do. @param problem what follows its name */
export const refusePredict = (name: PredictOption, problem: string | Wording): never => refuseOption(name, problem);

const addWhere = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(command.optionsGroup('What runs where:'), 'predict', PREDICT.where);

/** Adds the options that every question takes, but for how the answer is printed. */
export const addSubjectOptions = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(addTable(addWhere(command), 'predict', PREDICT.batch), 'predict', PREDICT.how);

/** Adds the options that every question takes. */
export const addPredictOptions = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(addSubjectOptions(command).optionsGroup('Output:'), 'predict', PREDICT.output);

/** The same for the crossover, whose `--batch` reads otherwise. */
export function addCrossoverOptions<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  const asked = addTable(addTable(addWhere(command), 'predict', PREDICT.crossoverBatch), 'predict', PREDICT.how);
  return addTable(asked.optionsGroup('Output:'), 'predict', PREDICT.output);
}

/** The one value of an option of which a question takes no list. @throws RidgepointError naming the option */
export function single<T>(name: PredictOption, values: readonly T[]): T {
  return values.length > 1 ? refusePredict(name, `takes one value here, found ${values.length}`) : values[0];
}

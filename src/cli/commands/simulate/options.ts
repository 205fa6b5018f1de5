import type { Command, OptionValues } from '@commander-js/extra-typings';
import { refuseOption } from '../../../engine/options/check.js';
import type { Wording } from '../../../wording.js';
import { addTable, type FlagsIn, type NamesIn } from '../../options/command-table.js';
import { SIMULATE } from './flags.js';

/** How an answer is printed, and whether a page is written. */
export type OutputFlags = FlagsIn<typeof SIMULATE.output>;

/** Options of a simulated cluster under a load. */
export type SimulateFlags = OutputFlags &
  FlagsIn<typeof SIMULATE.load> &
  FlagsIn<typeof SIMULATE.slo> &
  FlagsIn<typeof SIMULATE.price> &
  FlagsIn<typeof SIMULATE.window>;

/** The options of `simulate`, as errors call them. */
export type SimulateOption = `simulate.${NamesIn<typeof SIMULATE>}`;

/** An option of `simulate` that does not do. @param problem what follows its name */
export const refuseSimulate = (name: SimulateOption, problem: string | Wording): never => refuseOption(name, problem);

/** Adds the options that say what load comes, and which SLO it has. */
export const addLoadOptions = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(
    addTable(command.optionsGroup('Load:'), 'simulate', SIMULATE.load).optionsGroup('SLO:'),
    'simulate',
    SIMULATE.slo,
  );

/** Adds the options of how an answer is printed. */
export const addOutputOptions = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(command.optionsGroup('Output:'), 'simulate', SIMULATE.output);

/** The same for a question that simulates requests. */
export const addRunOptions = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) =>
  addTable(addOutputOptions(command), 'simulate', SIMULATE.window);

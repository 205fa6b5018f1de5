import type { Command, OptionValues } from '@commander-js/extra-typings';
import { refuseOption } from '../../../engine/options/check.js';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { option, type Mention, type Wording } from '../../../wording.js';
import { addTable, type NamesIn } from '../../options/command-table.js';
import { addModelOptions } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { tableOption } from '../../options/table-flags.js';
import { BENCH_SERVE } from './flags.js';

/** An option that `bench serve` alone has. */
type Name = NamesIn<typeof BENCH_SERVE>;

/** An option of `bench serve` in a sentence. */
export const mention = (name: Name, value?: string | number): Mention => option(`benchServe.${name}`, value);

/** An option of `bench serve` that does not do. @param problem what follows its name */
export const refuseServe = (name: Name, problem: string | Wording): never =>
  refuseOption(`benchServe.${name}`, problem);

const addLoad = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) => {
  const load = addTable(command.optionsGroup('Load:'), 'benchServe', BENCH_SERVE.load);
  const sampled = load.addOption(tableOption('temperature', 'of sampling (default 1)'));
  return addTable(sampled, 'benchServe', BENCH_SERVE.answers);
};

const addTarget = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) => {
  const own = addModelOptions(command)
    .addOption(
      tableOption('maxSequences', `sequences that run together (default ${ENGINE_OPTIONS.maxSequences.default})`),
    )
    .addOption(tableOption('kvCacheTokens', 'room of the KV cache (default: enough for those)'));
  return addTable(own.optionsGroup('Server instead of an engine in this process:'), 'benchServe', BENCH_SERVE.server);
};

const addResult = <A extends unknown[], O extends OptionValues>(command: Command<A, O>) => {
  const policies = addTable(command.optionsGroup('Modes:'), 'benchServe', BENCH_SERVE.policies);
  const paced = policies.addOption(
    tableOption(
      'decodeSloMs',
      `of decode-priority: longest a step should take (default ${ENGINE_OPTIONS.decodeSloMs.default})`,
    ),
  );
  const modes = addTable(paced, 'benchServe', BENCH_SERVE.modes);
  return addTable(modes.optionsGroup('Result:'), 'benchServe', BENCH_SERVE.result);
};

/** Adds the options that say what load is put on what, and what is shown of it. */
export const addServeOptions = (command: Command) => addResult(addTarget(addLoad(command)));

export type BenchServeFlags = Flags<typeof addServeOptions>;

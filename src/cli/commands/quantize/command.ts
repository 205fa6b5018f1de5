import type { Command } from '@commander-js/extra-typings';
import { toggle } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import type { Flags } from '../../options/group.js';
import { EXIT_CODES } from '../../options/help.js';
import { addTableOptions, tableOption } from '../../options/table-flags.js';
import { runToExit } from '../../run.js';
import { version } from '../../version.js';

export const QUANTIZE = {
  force: { kind: toggle, flags: '--force', help: 'replace a model that the folder holds; its other files stay' },
} as const satisfies CommandTable;

const options = (command: Command) => {
  const stored = addTableOptions(
    command
      .argument('<model>', 'a Hugging Face folder or a Hub name (owner/name) in f16, bf16 or f32')
      .argument('<folder>', 'where to save it; made if it is not there')
      .addOption(tableOption('dtype', 'int8 or int4; int4-g64-zp and the like say it all').makeOptionMandatory()),
    ['groupSize', 'zeroPoints', 'headDtype'],
    {
      zeroPoints: 'a zero point for each group, which fits lopsided weights better',
      headDtype: 'embedding and lm_head: as --dtype, or f16 (default), bf16, f32',
    },
  );
  const checked = addTable(stored, 'quantize', QUANTIZE).addOption(
    tableOption('checkWeights', 'refuse NaN and infinite weights where they are not quantised too'),
  );
  return addTable(addTable(checked, 'common', COMMON.json), 'common', COMMON.progress);
};

export type QuantizeFlags = Flags<typeof options>;

export function declare(command: Command): void {
  options(
    command.description(
      'Quantises a checkpoint as loading with --dtype does and saves it, so that later loads need not: a folder like any ' +
        'other, whose tensors are GPTQ’s.',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  ridgepoint quantize ./Llama-2-7b-hf ./Llama-2-7b-int4 --dtype int4
  ridgepoint quantize TinyLlama/TinyLlama-1.1B-Chat-v1.0 ./tiny-int8 --dtype int8 --head-dtype int8
  ridgepoint generate --model ./Llama-2-7b-int4 "The capital of France is"
${EXIT_CODES}`,
    )
    .action((model, folder, flags) =>
      runToExit(async () => (await import('./run.js')).quantize(model, folder, flags, version())),
    );
}

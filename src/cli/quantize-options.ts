import type { Command } from 'commander';
import { weightDtype, type ModelFlags } from './options.js';
import { whole } from './parse.js';

/** Options of `quantize`, under the names commander gives them. */
export interface QuantizeFlags extends Pick<
  ModelFlags,
  'dtype' | 'groupSize' | 'zeroPoints' | 'headDtype' | 'checkWeights' | 'quiet'
> {
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addQuantizeOptions(command: Command): Command {
  return command
    .argument('<model>', 'a Hugging Face folder or a Hub name (owner/name) in f16, bf16 or f32')
    .argument('<folder>', 'where to save it; made if it is not there')
    .requiredOption('--dtype <type>', 'int8 or int4; int4-g64-zp and the like say it all', weightDtype('--dtype'))
    .option('--group-size <n>', 'columns that share a scale: 32 (int4), 64 or 128 (int8)', whole('--group-size', 1))
    .option('--zero-points', 'a zero point for each group, which fits lopsided weights better')
    .option(
      '--head-dtype <type>',
      'embedding and lm_head: as --dtype, or f16 (default), bf16, f32',
      weightDtype('--head-dtype'),
    )
    .option('--force', 'replace a model that the folder holds; its other files stay')
    .option('--check-weights', 'refuse NaN and infinite weights where they are not quantised too')
    .option('--json', 'print JSON')
    .option('--quiet', 'no progress on standard error');
}

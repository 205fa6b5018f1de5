import type { Command } from '@commander-js/extra-typings';
import { KERNEL_KINDS, type KernelKind } from '../../../../bench/kernels/schema.js';
import { KV_STORED } from '../../../kernels/attention/shape.js';
import type { StoredDtype } from '../../../kernels/weights.js';
import { FLOAT_DTYPES } from '../../../engine/options/engine-options.js';
import { ACTIVATION_DTYPES } from '../../../quantization/activations.js';
import { QUANTIZED_DTYPES } from '../../../quantization/formats.js';
import type { Flags } from '../../options/group.js';
import { runToExit } from '../../run.js';
import { nonEmpty, oneOf, refuseFlag, seconds, wholes } from '../../options/parse.js';
import { tableOption } from '../../options/table-flags.js';

const STORED: readonly StoredDtype[] = [...FLOAT_DTYPES, ...QUANTIZED_DTYPES];

function shapes(text: string): { n: number; k: number }[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d+)x(\d+)\s*$/.exec(part);
    const [n, k] = [Number(match?.[1]), Number(match?.[2])];
    return n > 0 && k > 0 ? { n, k } : refuseFlag('--shapes', 'outputs x inputs, such as 4096x4096,11008x4096', text);
  });
}

const names = (text: string): string[] => text.split(',').map((part) => nonEmpty('--model', 'models')(part).trim());

const parts = (text: string): string[] => text.split(',').map((part) => nonEmpty('--variants', 'names')(part).trim());

const kinds = (text: string): KernelKind[] => text.split(',').map((part) => oneOf('--only', KERNEL_KINDS)(part.trim()));

const options = (command: Command) =>
  command
    .option('--model <models>', 'folders or presets whose sizes to take; llama-2-7b,tiny-tales by default', names)
    .option('--shapes <list>', 'matmuls of other sizes, outputs x inputs: 4096x4096,11008x4096', shapes)
    .option('--only <kinds>', `of ${KERNEL_KINDS.join(',')}`, kinds)
    .option('--variants <parts>', 'only variants whose names contain one of these', parts)
    .option('--rows <list>', 'rows of a step: decoding sequences up to 32, prompt tokens above', wholes('--rows', 1))
    .option('--contexts <list>', 'tokens in the cache, for attention', wholes('--contexts', 0))
    .option('--dtype <type>', 'weights: f16, bf16, f32, or quants such as int4-g32', oneOf('--dtype', STORED))
    .option(
      '--activations <type>',
      'what matmuls of many rows multiply: f32, or int8 beside int8 weights',
      oneOf('--activations', ACTIVATION_DTYPES),
    )
    .option('--kv-dtype <type>', 'keys and values: f16, f32 or int8', oneOf('--kv-dtype', KV_STORED))
    .addOption(tableOption('adapter'))
    .option('--budget <seconds>', 'about how long it may take', seconds('--budget'))
    .option('--within-budget', 'leave variants out rather than take longer')
    .option('--unchecked', 'leave out Dawn’s bounds checks and clearing of workgroup memory, to see what they cost')
    .option('--format <format>', 'what is printed: markdown or json', oneOf('--format', ['markdown', 'json'] as const))
    .option('--output <file>', 'write the result there too, as JSON', nonEmpty('--output', 'a path'))
    .option('--quiet', 'no progress on standard error');

export type BenchKernelsFlags = Flags<typeof options>;

/** Declares `bench kernels`. Its options are not those of `bench`, which loads a model. */
export function declare(command: Command): void {
  options(
    command.description(
      'Times every variant of every kernel that the adapter can run on random data: milliseconds of a launch, GB/s, ' +
        'GFLOP/s, and the share of the calibrated ceiling that binds it. No model is loaded; only its sizes are used.',
    ),
  ).action((flags) => runToExit(async () => (await import('./run.js')).benchKernels(flags)));
}

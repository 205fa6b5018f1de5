import type { Command } from 'commander';
import { WEIGHT_DTYPES } from '../engine/weight-format.js';
import { KV_STORED } from '../kernels/attention-shape.js';
import { ACTIVATION_DTYPES } from '../quantization/activations.js';
import { weightDtype } from './options.js';
import { nonEmpty, oneOf, seconds, whole } from './parse.js';

export function addTuneOptions(command: Command): Command {
  return command
    .option(
      '--model <model>',
      'whose sizes to measure: a folder, a Hub name or a preset; the built-in model when absent',
      nonEmpty('--model', 'a folder, a Hub name or a preset'),
    )
    .option('--adapter <name>', 'part of the name of an adapter; see "ridgepoint devices"')
    .option('--dtype <type>', `weights: ${WEIGHT_DTYPES.join(', ')}`, weightDtype('--dtype'))
    .option('--group-size <n>', 'of int8 and int4: 32, 64 or 128', whole('--group-size', 1))
    .option('--zero-points', 'int8 and int4 with zero points')
    .option('--head-dtype <type>', 'embedding and lm_head', weightDtype('--head-dtype'))
    .option(
      '--activations <type>',
      'prompts: f32, or int8 beside int8 weights',
      oneOf('--activations', ACTIVATION_DTYPES),
    )
    .option('--kv-dtype <type>', 'keys and values: auto, f16, f32 or int8', oneOf('--kv-dtype', ['auto', ...KV_STORED]))
    .option('--context-length <n>', 'longest sequence, which decides the KV type', whole('--context-length', 1))
    .option('--budget <seconds>', 'about how long it may take', seconds('--budget'))
    .option('--force', 'measure again what is known')
    .option('--json', 'print JSON')
    .option('--quiet', 'no progress on standard error');
}

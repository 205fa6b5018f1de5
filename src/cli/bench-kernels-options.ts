import type { Command } from 'commander';
import { KERNEL_KINDS, type KernelKind } from '../../bench/kernels/schema.js';
import { KV_STORED, type KvStored } from '../kernels/attention-shape.js';
import type { StoredDtype } from '../kernels/weights.js';
import { FLOAT_DTYPES } from '../engine/weight-format.js';
import { ACTIVATION_DTYPES, type ActivationDtype } from '../quantization/activations.js';
import { QUANTIZED_DTYPES } from '../quantization/formats.js';
import { nonEmpty, oneOf, refuse, seconds, wholes } from './parse.js';

/** Options of `bench kernels`, under the names commander gives them. */
export interface BenchKernelsFlags {
  readonly model?: string[];
  readonly shapes?: { n: number; k: number }[];
  readonly only?: KernelKind[];
  readonly variants?: string[];
  readonly rows?: number[];
  readonly contexts?: number[];
  readonly dtype?: StoredDtype;
  readonly activations?: ActivationDtype;
  readonly kvDtype?: KvStored;
  readonly adapter?: string;
  readonly budget?: number;
  readonly unchecked?: boolean;
  readonly format?: 'markdown' | 'json';
  readonly output?: string;
  readonly quiet?: boolean;
}

const STORED: readonly StoredDtype[] = [...FLOAT_DTYPES, ...QUANTIZED_DTYPES];

function shapes(text: string): { n: number; k: number }[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d+)x(\d+)\s*$/.exec(part);
    const [n, k] = [Number(match?.[1]), Number(match?.[2])];
    return n > 0 && k > 0 ? { n, k } : refuse('--shapes', 'outputs x inputs, such as 4096x4096,11008x4096', text);
  });
}

const names = (text: string): string[] => text.split(',').map((part) => nonEmpty('--model', 'models')(part).trim());

const parts = (text: string): string[] => text.split(',').map((part) => nonEmpty('--variants', 'names')(part).trim());

const kinds = (text: string): KernelKind[] => text.split(',').map((part) => oneOf('--only', KERNEL_KINDS)(part.trim()));

/** Adds `bench kernels`. Its options are not those of `bench`, which loads a model. */
export function addBenchKernels(bench: Command, run: (flags: BenchKernelsFlags) => Promise<unknown>): void {
  bench
    .command('kernels')
    .summary('time every kernel variant against the ceiling that binds it')
    .description(
      'Times every variant of every kernel that the adapter can run on random data: milliseconds of a launch, GB/s, ' +
        'GFLOP/s, and the share of the calibrated ceiling that binds it. No model is loaded; only its sizes are used.',
    )
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
    .option('--adapter <name>', 'part of the name of an adapter; see "ridgepoint devices"')
    .option('--budget <seconds>', 'about how long it may take', seconds('--budget'))
    .option('--unchecked', 'leave out Dawn’s bounds checks and clearing of workgroup memory, to see what they cost')
    .option('--format <format>', 'what is printed: markdown or json', oneOf('--format', ['markdown', 'json'] as const))
    .option('--output <file>', 'write the result there too, as JSON', nonEmpty('--output', 'a path'))
    .option('--quiet', 'no progress on standard error')
    .action((flags: BenchKernelsFlags) => void run(flags));
}

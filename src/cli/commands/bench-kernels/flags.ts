import { KERNEL_KINDS } from '../../../../bench/kernels/schema.js';
import { FLOAT_DTYPES } from '../../../engine/options/engine-options.js';
import { oneOf, text, toggle, type TextKind } from '../../../engine/options/kinds.js';
import { KV_STORED } from '../../../kernels/attention/shape.js';
import type { StoredDtype } from '../../../kernels/weights.js';
import { ACTIVATION_DTYPES } from '../../../quantization/activations.js';
import { QUANTIZED_DTYPES } from '../../../quantization/formats.js';
import type { CommandTable } from '../../options/command-table.js';
import { listed, seconds, wholes } from '../../options/text-kinds.js';

const STORED: readonly StoredDtype[] = [...FLOAT_DTYPES, ...QUANTIZED_DTYPES];

const shape: TextKind<{ n: number; k: number }> = {
  wanted: 'outputs x inputs, such as 4096x4096,11008x4096',
  read(given) {
    const match = /^\s*(\d+)x(\d+)\s*$/.exec(given);
    const [n, k] = [Number(match?.[1]), Number(match?.[2])];
    return n > 0 && k > 0 ? { n, k } : undefined;
  },
};

/** The options of `bench kernels`, a table for each group of them. */
export const BENCH_KERNELS = {
  points: {
    model: {
      kind: listed(text('models')),
      flags: '--model <models>',
      help: 'folders or presets whose sizes to take; llama-2-7b,tiny-tales by default',
    },
    shapes: {
      kind: listed(shape),
      flags: '--shapes <list>',
      help: 'matmuls of other sizes, outputs x inputs: 4096x4096,11008x4096',
    },
    only: { kind: listed(oneOf(KERNEL_KINDS)), flags: '--only <kinds>', help: `of ${KERNEL_KINDS.join(',')}` },
    variants: {
      kind: listed(text('names')),
      flags: '--variants <parts>',
      help: 'only variants whose names contain one of these',
    },
    rows: {
      kind: wholes(1),
      flags: '--rows <list>',
      help: 'rows of a step: decoding sequences up to 32, prompt tokens above',
    },
    contexts: { kind: wholes(0), flags: '--contexts <list>', help: 'tokens in the cache, for attention' },
    dtype: {
      kind: oneOf(STORED),
      flags: '--dtype <type>',
      help: 'weights: f16, bf16, f32, or quants such as int4-g32',
    },
    activations: {
      kind: oneOf(ACTIVATION_DTYPES),
      flags: '--activations <type>',
      help: 'what matmuls of many rows multiply: f32, or int8 beside int8 weights',
    },
    kvDtype: { kind: oneOf(KV_STORED), flags: '--kv-dtype <type>', help: 'keys and values: f16, f32 or int8' },
  },
  run: {
    budget: { kind: seconds, flags: '--budget <seconds>', help: 'about how long it may take' },
    withinBudget: { kind: toggle, flags: '--within-budget', help: 'leave variants out rather than take longer' },
    unchecked: {
      kind: toggle,
      flags: '--unchecked',
      help: 'leave out Dawn’s bounds checks and clearing of workgroup memory, to see what they cost',
    },
    format: {
      kind: oneOf(['markdown', 'json'] as const),
      flags: '--format <format>',
      help: 'what is printed: markdown or json',
    },
    output: { kind: text('a path'), flags: '--output <file>', help: 'write the result there too, as JSON' },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

import type { Command } from '@commander-js/extra-typings';
import { RidgepointError } from '../../../errors.js';
import type { EngineId } from '../../../roofline/hardware/engines.js';
import type { ComputeDtype, KernelSet } from '../../../roofline/hardware/roof.js';
import type { PricedKvDtype, PricedWeightDtype } from '../../../roofline/hardware/precision.js';
import { QUANTIZED_DTYPES } from '../../../quantization/formats.js';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { group, type Flags } from '../../options/group.js';
import { nonEmpty, oneOf, refuseFlag, whole } from '../../options/parse.js';

// These lists are repeated from src/roofline so that --help need not load it; the types keep them the same.
const WEIGHTS: readonly PricedWeightDtype[] = ['f32', 'f16', 'bf16', 'fp8', 'int8', 'int4', 'fp4'];
/** A format of the field's, or one of the engine's own, whose scales are counted. */
const weightFormat = (text: string): PricedWeightDtype =>
  QUANTIZED_DTYPES.find((name) => name === text) ?? oneOf('--weight-dtype', WEIGHTS)(text);

const KV: readonly PricedKvDtype[] = ['f32', 'f16', 'fp8', 'int8'];
const COMPUTE: readonly ComputeDtype[] = ['f32', 'f16', 'f16-acc16', 'fp8', 'int8', 'int4', 'fp4'];
const KERNELS: readonly KernelSet[] = ['tensor', 'shader'];

const ENGINES: readonly EngineId[] = [
  ...(['trt-llm', 'trt-llm-2024', 'vllm', 'vllm-2024', 'llama.cpp', 'pytorch-eager', 'ridgepoint', 'none'] as const),
];

export const split = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Comma-separated values, each read by `parse`; `1..512` stands for the powers of two in it. */
export function optionList<T>(option: string, parse: (text: string) => T): (text: string) => T[] {
  return (text) => {
    const parts = split(text).flatMap(range);
    return parts.length > 0
      ? parts.map(parse)
      : refuseFlag(option, 'a value or several with commas between them', text);
  };
}

function range(part: string): string[] {
  const [from, to] = (/^(\d+)\.\.(\d+)$/.exec(part) ?? []).slice(1).map(Number);
  if (from === undefined || from < 1 || to < from) return [part];
  const values: string[] = [];
  for (let value = from; value <= to; value *= 2) values.push(String(value));
  return values;
}

const addWhere = group((command) =>
  command
    .optionsGroup('What runs where:')
    .option(
      '--model <model>',
      'a preset, bloom-176b, deepseek-v2 or a folder with a config.json (default: llama-2-7b)',
      nonEmpty('--model', 'a preset or a folder'),
    )
    .option(
      '--hardware <ids>',
      'one or several of "predict list", or this-machine (default: this machine once calibrated, else h100-sxm)',
      optionList('--hardware', (id) => id),
    )
    .option('--adapter <name>', 'for this-machine: part of the name of a calibrated adapter')
    .option('--calibration <file>', 'for this-machine: a file that "ridgepoint calibrate" wrote')
    .option(
      '--prompt <n>',
      'prompt tokens; a list or 128..2048 for a sweep (default: 512)',
      optionList('--prompt', whole('--prompt', 1)),
    )
    .option('--output <n>', 'tokens to generate (default: 128)', optionList('--output', whole('--output', 1)))
    .option(
      '--cached <n>',
      'tokens of each prompt that are in the prefix cache already (default: 0)',
      whole('--cached', 0),
    ),
);

const addBatch = group((command) =>
  command.option('--batch <n>', 'sequences at once (default: 1)', optionList('--batch', whole('--batch', 1))),
);

const addHow = group((command) =>
  command
    .option(
      '--weight-dtype <type>',
      `how weights are stored: ${WEIGHTS.join(', ')}, or as the engine does: int4-g32, ... (default: f16)`,
      optionList('--weight-dtype', weightFormat),
    )
    .option('--kv-dtype <type>', `how the cache is stored: ${KV.join(', ')} (default: f16)`, oneOf('--kv-dtype', KV))
    .option(
      '--compute-dtype <type>',
      `what products are computed in: ${COMPUTE.join(', ')} (default: f16 on tensor units, f32 in shaders)`,
      oneOf('--compute-dtype', COMPUTE),
    )
    .option(
      '--kernels <set>',
      'tensor: use matrix units, as CUDA libraries do; shader: plain WGSL (default: shader on this machine)',
      oneOf('--kernels', KERNELS),
    )
    .option(
      '--engine <name>',
      `whose host costs are added: ${ENGINES.join(', ')} (default: trt-llm on NVIDIA’s for servers, llama.cpp on personal computers, vllm on others, none on this machine)`,
      oneOf('--engine', ENGINES),
    )
    .option('--tp <n>', 'chips that share the model by tensor parallelism (default: 1)', whole('--tp', 1))
    .option('--pp <n>', 'groups of such chips with a stretch of layers each, one after the other', whole('--pp', 1))
    .option('--ep', 'whole experts on each of the chips, with all-to-alls, for models that route tokens')
    .option(
      '--prefill-chunk <n>',
      `most prompt tokens a step (default: ${ENGINE_OPTIONS.prefillChunk.default} on this machine, as the engine; else all)`,
      whole('--prefill-chunk', 1),
    ),
);

const addOutput = group((command) =>
  command.optionsGroup('Output:').option('--json', 'print JSON').option('--csv', 'print comma-separated values'),
);

const all = (command: Command) => addOutput(addHow(addBatch(addWhere(command))));

/** Options that every question takes. Lists stand for sweeps where a question allows more than one value. */
export type PredictFlags = Flags<typeof all>;

/** Adds the options that every question takes. */
export const addPredictOptions = group(all);

/** The same without how the answer is printed, which is the caller's to add. */
export const addSubjectOptions = group((command) => addHow(addBatch(addWhere(command))));

/** The same for a question whose `--batch` reads otherwise: it is `batch` that adds it. */
export const addPredictOptionsWith = <F>(batch: (command: Command) => { opts(): F }) =>
  group((command) => addOutput(addHow(group(batch)(addWhere(command)))));

/** The one value of an option of which a question takes no list. */
export function single<T>(values: readonly T[] | undefined, option: string, fallback: T): T {
  if (values !== undefined && values.length > 1) {
    throw new RidgepointError('usage', `${option} takes one value here, found ${values.length}`);
  }
  return values?.[0] ?? fallback;
}

import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { oneOf, number, text, toggle, whole, type TextKind } from '../../../engine/options/kinds.js';
import { QUANTIZED_DTYPES } from '../../../quantization/formats.js';
import type { EngineId } from '../../../roofline/hardware/engines.js';
import type { PricedKvDtype, PricedWeightDtype } from '../../../roofline/hardware/precision.js';
import type { ComputeDtype, KernelSet } from '../../../roofline/hardware/roof.js';
import { MEMORY_TYPES, SPAD_CHIPS } from '../../../roofline/predict/spad.js';
import type { CommandTable } from '../../options/command-table.js';
import { amount, byCommas, severalOf, portion } from '../../options/text-kinds.js';
import { machineCounts } from './machine-counts.js';

// These lists are repeated from src/roofline so that --help need not load it; the types keep them the same.
const WEIGHTS: readonly PricedWeightDtype[] = ['f32', 'f16', 'bf16', 'fp8', 'int8', 'int4', 'fp4'];
const KV: readonly PricedKvDtype[] = ['f32', 'f16', 'fp8', 'int8'];
const COMPUTE: readonly ComputeDtype[] = ['f32', 'f16', 'f16-acc16', 'fp8', 'int8', 'int4', 'fp4'];
const KERNELS: readonly KernelSet[] = ['tensor', 'shader'];

const ENGINES: readonly EngineId[] = [
  ...(['trt-llm', 'trt-llm-2024', 'vllm', 'vllm-2024', 'llama.cpp', 'pytorch-eager', 'ridgepoint', 'none'] as const),
];

const CHIPS = Object.keys(SPAD_CHIPS) as (keyof typeof SPAD_CHIPS)[];

const split = (given: string): string[] => byCommas(given).filter((part) => part !== '');

/** `1..512` stands for the powers of two in it. */
function range(part: string): string[] {
  const [from, to] = (/^(\d+)\.\.(\d+)$/.exec(part) ?? []).slice(1).map(Number);
  if (from === undefined || from < 1 || to < from) return [part];
  const values: string[] = [];
  for (let value = from; value <= to; value *= 2) values.push(String(value));
  return values;
}

const swept = <T>(item: TextKind<T>): TextKind<readonly T[]> => severalOf(item, (given) => split(given).flatMap(range));

/** What `--batch` of the crossover may be, which is told apart where it runs. */
const batchOrPlatforms: TextKind<string[]> = {
  wanted: 'a number of sequences, or two of "predict list" to compare',
  read(given, before = []) {
    const parts = split(given);
    return parts.length > 0 ? [...before, ...parts] : undefined;
  },
};

/** The options of `predict`, a table for each group of them. */
export const PREDICT = {
  where: {
    model: {
      kind: text('a preset or a folder'),
      flags: '--model <model>',
      help: 'a preset, bloom-176b, deepseek-v2 or a folder with a config.json',
      default: 'llama-2-7b',
    },
    hardware: {
      kind: swept(text('hardware of "predict list"')),
      flags: '--hardware <ids>',
      help: 'one or several of "predict list", or this-machine (default: this machine once calibrated, else h100-sxm)',
    },
    adapter: {
      kind: text('part of the name of an adapter'),
      flags: '--adapter <name>',
      help: 'for this-machine: part of the name of a calibrated adapter',
    },
    calibration: {
      kind: text('the path of a file'),
      flags: '--calibration <file>',
      help: 'for this-machine: a file that "ridgepoint calibrate" wrote',
    },
    prompt: {
      kind: swept(whole(1)),
      flags: '--prompt <n>',
      help: 'prompt tokens; a list or 128..2048 for a sweep',
      default: [512],
    },
    output: { kind: swept(whole(1)), flags: '--output <n>', help: 'tokens to generate', default: [128] },
    cached: {
      kind: whole(0),
      flags: '--cached <n>',
      help: 'tokens of each prompt that are in the prefix cache already',
      default: 0,
    },
  },
  batch: { batch: { kind: swept(whole(1)), flags: '--batch <n>', help: 'sequences at once', default: [1] } },
  how: {
    weightDtype: {
      // A format of the field's, or one of the engine's own, whose scales are counted.
      kind: swept(oneOf<PricedWeightDtype>(WEIGHTS, QUANTIZED_DTYPES)),
      flags: '--weight-dtype <type>',
      help: `how weights are stored: ${WEIGHTS.join(', ')}, or as the engine does: int4-g32, ...`,
      default: ['f16'],
    },
    kvDtype: {
      kind: oneOf(KV),
      flags: '--kv-dtype <type>',
      help: `how the cache is stored: ${KV.join(', ')} (default: f16)`,
    },
    computeDtype: {
      kind: oneOf(COMPUTE),
      flags: '--compute-dtype <type>',
      help: `what products are computed in: ${COMPUTE.join(', ')} (default: f16 on tensor units, f32 in shaders)`,
    },
    kernels: {
      kind: oneOf(KERNELS),
      flags: '--kernels <set>',
      help: 'tensor: use matrix units, as CUDA libraries do; shader: plain WGSL (default: shader on this machine)',
    },
    engine: {
      kind: oneOf(ENGINES),
      flags: '--engine <name>',
      help: `whose host costs are added: ${ENGINES.join(', ')} (default: trt-llm on NVIDIA’s for servers, llama.cpp on personal computers, vllm on others, none on this machine)`,
    },
    tp: {
      kind: whole(1),
      flags: '--tp <n>',
      help: 'chips that share the model by tensor parallelism',
      default: 1,
    },
    pp: {
      kind: whole(1),
      flags: '--pp <n>',
      help: 'groups of such chips with a stretch of layers each, one after the other',
    },
    ep: {
      kind: toggle,
      flags: '--ep',
      help: 'whole experts on each of the chips, with all-to-alls, for models that route tokens',
    },
    prefillChunk: {
      kind: whole(1),
      flags: '--prefill-chunk <n>',
      help: `most prompt tokens a step (default: ${ENGINE_OPTIONS.prefillChunk.default} on this machine, as the engine; else all)`,
    },
  },
  output: {
    json: { kind: toggle, flags: '--json', help: 'print JSON' },
    csv: { kind: toggle, flags: '--csv', help: 'print comma-separated values' },
  },
  map: {
    perOperation: { kind: toggle, flags: '--per-operation', help: 'one line for each operation of both phases' },
    grid: {
      kind: toggle,
      flags: '--grid',
      help: 'a map over --batch and --prompt: latency of both phases over that of --against',
    },
    against: {
      kind: text('hardware of "predict list"'),
      flags: '--against <id>',
      help: 'for --grid: the hardware whose latency is 1',
    },
  },
  limits: {
    ttft: { kind: number(), flags: '--ttft <ms>', help: 'longest TTFT', default: 200 },
    itl: { kind: number(), flags: '--itl <ms>', help: 'longest gap between tokens', default: 50 },
  },
  crossoverBatch: {
    batch: {
      kind: batchOrPlatforms,
      flags: '--batch <n...>',
      help: 'sequences at once (default: 1); or two of "predict list", of which one overtakes the other in tok/s',
    },
  },
  range: {
    from: { kind: whole(1), flags: '--from <n>', help: 'shortest prompt (default: 1)' },
    to: {
      kind: whole(1),
      flags: '--to <n>',
      help: 'longest prompt (default: the longest of the model); largest batch (default: 512)',
    },
  },
  steps: {
    chunk: {
      kind: swept(whole(0)),
      flags: '--chunk <n>',
      help: 'prompt tokens a step (default: 0,128..4096)',
    },
    decoding: {
      kind: whole(0),
      flags: '--decoding <n>',
      help: 'sequences that decode meanwhile (default: 128, or as many as fit)',
    },
    context: {
      kind: whole(0),
      flags: '--context <n>',
      help: 'tokens that each of them has (default: as --prompt)',
    },
  },
  guesses: {
    draft: {
      kind: text('a model, or lookup'),
      flags: '--draft <model>',
      help: 'what guesses: a model, or lookup, which costs nothing',
      default: 'lookup',
    },
    draftTokens: {
      kind: swept(whole(1)),
      flags: '--draft-tokens <n>',
      help: 'guesses a round',
      default: [1, 2, 4, 8],
    },
    acceptance: {
      kind: portion,
      flags: '--acceptance <share>',
      help: 'share of guesses that are right',
      default: 0.7,
    },
  },
  tokens: {
    perToken: {
      kind: toggle,
      flags: '--per-token',
      help: 'dollars a million tokens and joules a token, for every pair of --hardware',
    },
    usdPerHour: {
      kind: swept(amount('dollars an hour')),
      flags: '--usd-per-hour <usd>',
      help: 'dollars an hour of a chip, one for each of --hardware (default: of the catalogue, where known)',
    },
    watts: {
      kind: swept(amount('watts')),
      flags: '--watts <w>',
      help: 'watts of a chip at work, likewise (default: of the catalogue, else the TDP)',
    },
    network: {
      kind: amount('gigabits a second'),
      flags: '--network <gbit/s>',
      help: 'between the platforms',
      default: 400,
    },
  },
  chip: {
    chip: {
      kind: oneOf(CHIPS),
      flags: '--chip <name>',
      help: 'prefill, decode or h100 (default: h100); the options below change it',
    },
    die: { kind: amount('a die area in mm²'), flags: '--die <mm2>', help: 'die area' },
    memory: { kind: amount('gigabytes of memory'), flags: '--memory <gb>', help: 'memory' },
    memoryType: { kind: oneOf(MEMORY_TYPES), flags: '--memory-type <type>', help: 'gddr7 or hbm3' },
    bandwidth: { kind: amount('GB/s'), flags: '--bandwidth <gb/s>', help: 'memory bandwidth' },
    packages: {
      kind: amount('a number of packages'),
      flags: '--packages <n>',
      help: 'HBM packages (default: one for each 16 GB)',
    },
    price: { kind: amount('dollars a GB'), flags: '--price <usd>', help: 'dollars a GB of memory' },
    cluster: {
      kind: machineCounts,
      flags: '--cluster <counts>',
      help: 'machines of eight chips, such as prefill=18,decode=7',
    },
  },
  costOutput: {
    json: { kind: toggle, flags: '--json', help: 'print JSON' },
    csv: { kind: toggle, flags: '--csv', help: 'with --per-token: print comma-separated values' },
  },
  listOutput: {
    json: { kind: toggle, flags: '--json', help: 'print JSON, with sources' },
    csv: { kind: toggle, flags: '--csv', help: 'print comma-separated values, with sources' },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

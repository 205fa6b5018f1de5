import type { Command } from '@commander-js/extra-typings';
import { parseGoal } from '../../../traffic/goodput.js';
import { MEASURES } from '../../../traffic/metrics.js';
import { COMPARED_POLICIES } from '../../../../bench/serve/compared-policies.js';
import { readAs } from '../../../engine/options/check.js';
import { LENGTHS_WANTED, readLengths } from '../../../traffic/lengths.js';
import type { CommandOptionName } from '../../../wording.js';
import { addModelOptions } from '../../options/common.js';
import { group, type Flags } from '../../options/group.js';
import { nonEmpty, oneOf, refuseFlag, whole } from '../../options/parse.js';
import { tableOption } from '../../options/table-flags.js';

export const ARRIVALS = ['poisson', 'gamma', 'constant', 'closed'] as const;
export const SCENARIOS = ['long-prompt', 'batch'] as const;

/** A number above 0; `inf` where that is allowed. */
function positive(option: string, infinite = false): (text: string) => number {
  return (text) => {
    const value = infinite && text === 'inf' ? Infinity : Number(text);
    const good = text.trim() !== '' && value > 0 && (infinite || Number.isFinite(value));
    return good ? value : refuseFlag(option, infinite ? 'a number above 0, or inf' : 'a number above 0', text);
  };
}

function within(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const good = text.trim() !== '' && value >= least && value <= most;
    return good ? value : refuseFlag(option, `a number from ${least} to ${most}`, text);
  };
}

const lengths = (name: CommandOptionName) => (text: string) =>
  readAs(name, { wanted: LENGTHS_WANTED, read: readLengths }, text);

function percentiles(text: string): number[] {
  const values = text.split(',').map((part) => within('--metric-percentiles', 0, 100)(part));
  return [...new Set(values)].sort((a, b) => a - b);
}

const list =
  <T extends string>(option: string, choices: readonly T[]) =>
  (text: string): T[] => [...new Set(text.split(',').map((part) => oneOf(option, choices)(part.trim())))];

function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const good = typeof value === 'object' && value !== null && !Array.isArray(value);
  return good ? (value as Record<string, unknown>) : refuseFlag('--extra-body', 'a JSON object', text);
}

const loadOptions = group((command) =>
  command
    .optionsGroup('Load:')
    .option('--num-prompts <n>', 'requests (default 100, with --stress 2000)', whole('--num-prompts', 1))
    .option('--arrival <kind>', `of ${ARRIVALS.join(', ')} (default poisson)`, oneOf('--arrival', ARRIVALS))
    .option('--request-rate <r>', 'requests a second, or inf: all at once (default)', positive('--request-rate', true))
    .option('--burstiness <shape>', 'of gamma arrivals: 1 is Poisson, less comes in bursts', positive('--burstiness'))
    .option('--cv <x>', 'the same as the coefficient of variation of gaps: 1 / sqrt(burstiness)', positive('--cv'))
    .option('--max-concurrency <n>', 'most requests at a time', whole('--max-concurrency', 1))
    .option('--input-len <tokens>', '128, 32-256, or lognormal:MEDIAN:SIGMA (default 128)', lengths('bench.inputLen'))
    .option('--output-len <tokens>', 'likewise (default 64)', lengths('bench.outputLen'))
    .option(
      '--trace <file>',
      'arrivals and lengths of a CSV in the format of the Azure traces of 2023, or of synthetic:code or ' +
        'synthetic:conversation, which are like them',
      nonEmpty('--trace', 'a file, synthetic:code or synthetic:conversation'),
    )
    .option('--trace-scale <x>', 'replays a trace so many times as fast', positive('--trace-scale'))
    .option('--length-scale <x>', 'factor on all lengths, for a model of a shorter context', positive('--length-scale'))
    .option(
      '--shared-prefix <n>',
      'tokens that all prompts begin with, as a system prompt',
      whole('--shared-prefix', 0),
    )
    .option('--abort-share <p>', 'share of requests that clients abort, from 0 to 1', within('--abort-share', 0, 1))
    .option('--seed <n>', 'of arrivals, lengths, prompts and aborts (default 0)', whole('--seed', 0))
    .addOption(tableOption('temperature', 'of sampling (default 1)'))
    .option('--ignore-eos', 'answers of full length; the default in this process, else sent to the server')
    .option('--no-ignore-eos', 'answers end where the model ends them')
    .option(
      '--warmup <n>',
      'requests before that do not count (default: --max-num-seqs; 1 for a server)',
      whole('--warmup', 0),
    ),
);

const targetOptions = group((command) =>
  addModelOptions(command)
    .addOption(tableOption('maxSequences', 'sequences that run together (default 8)'))
    .addOption(tableOption('kvCacheTokens', 'room of the KV cache (default: enough for those)'))
    .optionsGroup('Server instead of an engine in this process:')
    .option('--base-url <url>', 'of an OpenAI-compatible server', nonEmpty('--base-url', 'an address'))
    .option('--api-key <key>', 'default: the environment variable OPENAI_API_KEY', nonEmpty('--api-key', 'a key'))
    .option(
      '--served-model <name>',
      'as the server calls it (default: the first one)',
      nonEmpty('--served-model', 'a name'),
    )
    .option('--endpoint <kind>', 'completions (default) or chat', oneOf('--endpoint', ['completions', 'chat']))
    .option(
      '--vocab-size <n>',
      'prompts of token ids below n instead of words: of exact length',
      whole('--vocab-size', 2),
    )
    .option('--extra-body <json>', 'added to each request', jsonObject),
);

const resultOptions = group((command) =>
  command
    .optionsGroup('Modes:')
    .option(
      '--policies <names>',
      `compare these: ${COMPARED_POLICIES.join(',')}`,
      list('--policies', COMPARED_POLICIES),
    )
    .addOption(tableOption('decodeSloMs', 'of decode-priority: longest a step should take (default 50)'))
    .option('--rounds <n>', 'runs of each policy, in turns (default 1; scenarios 3)', whole('--rounds', 1))
    .option('--stress', 'check at the end that nothing was lost, all blocks are free and memory is flat')
    .option(
      '--scenario <name>',
      'long-prompt: what decoding sequences feel of a long prompt; batch: throughput of many sequences beside one',
      oneOf('--scenario', SCENARIOS),
    )
    .option('--sequences <n>', 'of a scenario (default 8 decoding, or 16 in a batch)', whole('--sequences', 1))
    .option('--long-prompt <n>', 'tokens of the long prompt (default 2000)', whole('--long-prompt', 1))
    .optionsGroup('Result:')
    .option(
      '--goodput <goals...>',
      'count requests that meet these, in ms, such as ttft:500 tpot:50 e2el:5000',
      parseGoal,
    )
    .option('--metric-percentiles <list>', 'of the block (default 90,99)', percentiles)
    .option(
      '--percentile-metrics <list>',
      `of ${MEASURES.join(',')} (default all)`,
      list('--percentile-metrics', MEASURES),
    )
    .option('--output <file>', 'write the result here, as JSON, with every request', nonEmpty('--output', 'a path'))
    .option('--svg <file>', 'draw latencies and throughput', nonEmpty('--svg', 'a path'))
    .option('--format <format>', 'what is printed: text or json', oneOf('--format', ['text', 'json']))
    .option('--schema', 'print the JSON schema of results, and measure nothing'),
);

/** Adds the options that say what load is put on what, and what is shown of it. */
export const addServeOptions = (command: Command) => resultOptions(targetOptions(loadOptions(command)));

export type BenchServeFlags = Flags<typeof addServeOptions>;

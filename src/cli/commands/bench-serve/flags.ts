import { COMPARED_POLICIES } from '../../../../bench/serve/compared-policies.js';
import { number, oneOf, text, toggle, whole, type TextKind } from '../../../engine/options/kinds.js';
import { GOALS_WANTED, readGoals, wrongGoal, type Goals } from '../../../traffic/goodput.js';
import { LENGTHS_WANTED, readLengths, type Lengths } from '../../../traffic/lengths.js';
import { MEASURES } from '../../../traffic/metrics.js';
import type { CommandTable } from '../../options/command-table.js';
import { listed, setOf } from '../../options/text-kinds.js';

export const ARRIVALS = ['poisson', 'gamma', 'constant', 'closed'] as const;
export const SCENARIOS = ['long-prompt', 'batch'] as const;

const above0 = number({ low: 0, above: true });
const rate: TextKind<number> = {
  wanted: 'a number above 0, or inf',
  read: (given, before) => (['inf', 'Infinity'].includes(given) ? Infinity : above0.read(given, before)),
};
const lengths: TextKind<Lengths> = { wanted: LENGTHS_WANTED, read: readLengths };
const goals: TextKind<Goals> = { wanted: GOALS_WANTED, read: readGoals, wrong: wrongGoal };
const shares = listed(number({ low: 0, high: 100 }));
const percentiles: TextKind<readonly number[]> = {
  ...shares,
  read(given, before) {
    const values = shares.read(given, before);
    return values && [...new Set(values)].sort((a, b) => a - b);
  },
};
const jsonObject: TextKind<Readonly<Record<string, unknown>>> = {
  wanted: 'a JSON object',
  read(given) {
    try {
      const value: unknown = JSON.parse(given);
      const good = typeof value === 'object' && value !== null && !Array.isArray(value);
      return good ? (value as Record<string, unknown>) : undefined;
    } catch {
      return undefined;
    }
  },
};

/** The options of `bench serve`, a table for each group of them. */
export const BENCH_SERVE = {
  load: {
    numPrompts: {
      kind: whole(1),
      flags: '--num-prompts <n>',
      help: 'requests (default 100, with --stress 2000)',
    },
    arrival: {
      kind: oneOf(ARRIVALS),
      flags: '--arrival <kind>',
      help: `of ${ARRIVALS.join(', ')} (default poisson)`,
    },
    requestRate: {
      kind: rate,
      flags: '--request-rate <r>',
      help: 'requests a second, or inf: all at once (default)',
    },
    burstiness: {
      kind: above0,
      flags: '--burstiness <shape>',
      help: 'of gamma arrivals: 1 is Poisson, less comes in bursts',
    },
    cv: {
      kind: above0,
      flags: '--cv <x>',
      help: 'the same as the coefficient of variation of gaps: 1 / sqrt(burstiness)',
    },
    maxConcurrency: { kind: whole(1), flags: '--max-concurrency <n>', help: 'most requests at a time' },
    inputLen: {
      kind: lengths,
      flags: '--input-len <tokens>',
      help: '128, 32-256, or lognormal:MEDIAN:SIGMA (default 128)',
    },
    outputLen: { kind: lengths, flags: '--output-len <tokens>', help: 'likewise (default 64)' },
    trace: {
      kind: text('a file, synthetic:code or synthetic:conversation'),
      flags: '--trace <file>',
      help:
        'arrivals and lengths of a CSV in the format of the Azure traces of 2023, or of synthetic:code or ' +
        'synthetic:conversation, which are like them',
    },
    traceScale: { kind: above0, flags: '--trace-scale <x>', help: 'replays a trace so many times as fast' },
    lengthScale: {
      kind: above0,
      flags: '--length-scale <x>',
      help: 'factor on all lengths, for a model of a shorter context',
    },
    sharedPrefix: {
      kind: whole(0),
      flags: '--shared-prefix <n>',
      help: 'tokens that all prompts begin with, as a system prompt',
    },
    abortShare: {
      kind: number({ low: 0, high: 1 }),
      flags: '--abort-share <p>',
      help: 'share of requests that clients abort, from 0 to 1',
    },
    seed: { kind: whole(0), flags: '--seed <n>', help: 'of arrivals, lengths, prompts and aborts', default: 0 },
  },
  answers: {
    ignoreEos: {
      kind: toggle,
      flags: '--ignore-eos',
      help: 'answers of full length; the default in this process, else sent to the server',
    },
    noIgnoreEos: { kind: toggle, flags: '--no-ignore-eos', help: 'answers end where the model ends them' },
    warmup: {
      kind: whole(0),
      flags: '--warmup <n>',
      help: 'requests before that do not count (default: --max-num-seqs; 1 for a server)',
    },
  },
  server: {
    baseUrl: { kind: text('an address'), flags: '--base-url <url>', help: 'of an OpenAI-compatible server' },
    apiKey: {
      kind: text('a key'),
      flags: '--api-key <key>',
      help: 'default: the environment variable OPENAI_API_KEY',
    },
    servedModel: {
      kind: text('a name'),
      flags: '--served-model <name>',
      help: 'as the server calls it (default: the first one)',
    },
    endpoint: {
      kind: oneOf(['completions', 'chat'] as const),
      flags: '--endpoint <kind>',
      help: 'completions (default) or chat',
    },
    vocabSize: {
      kind: whole(2),
      flags: '--vocab-size <n>',
      help: 'prompts of token ids below n instead of words: of exact length',
    },
    extraBody: { kind: jsonObject, flags: '--extra-body <json>', help: 'added to each request' },
  },
  policies: {
    policies: {
      kind: setOf(oneOf(COMPARED_POLICIES)),
      flags: '--policies <names>',
      help: `compare these: ${COMPARED_POLICIES.join(',')}`,
    },
  },
  modes: {
    rounds: {
      kind: whole(1),
      flags: '--rounds <n>',
      help: 'runs of each policy, in turns (default 1; scenarios 3)',
    },
    stress: {
      kind: toggle,
      flags: '--stress',
      help: 'check at the end that nothing was lost, all blocks are free and memory is flat',
    },
    scenario: {
      kind: oneOf(SCENARIOS),
      flags: '--scenario <name>',
      help: 'long-prompt: what decoding sequences feel of a long prompt; batch: throughput of many sequences beside one',
    },
    sequences: {
      kind: whole(1),
      flags: '--sequences <n>',
      help: 'of a scenario (default 8 decoding, or 16 in a batch)',
    },
    longPrompt: {
      kind: whole(1),
      flags: '--long-prompt <n>',
      help: 'tokens of the long prompt',
      default: 2000,
    },
  },
  result: {
    goodput: {
      kind: goals,
      flags: '--goodput <goals...>',
      help: 'count requests that meet these, in ms, such as ttft:500 tpot:50 e2el:5000',
    },
    metricPercentiles: {
      kind: percentiles,
      flags: '--metric-percentiles <list>',
      help: 'of the block',
      default: [90, 99],
    },
    percentileMetrics: {
      kind: setOf(oneOf(MEASURES)),
      flags: '--percentile-metrics <list>',
      help: `of ${MEASURES.join(',')} (default all)`,
    },
    output: {
      kind: text('a path'),
      flags: '--output <file>',
      help: 'write the result here, as JSON, with every request',
    },
    svg: { kind: text('a path'), flags: '--svg <file>', help: 'draw latencies and throughput' },
    format: {
      kind: oneOf(['text', 'json'] as const),
      flags: '--format <format>',
      help: 'what is printed: text or json',
    },
    schema: { kind: toggle, flags: '--schema', help: 'print the JSON schema of results, and measure nothing' },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

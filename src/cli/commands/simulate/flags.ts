import { number, oneOf, text, toggle, whole, type TextKind } from '../../../engine/options/kinds.js';
import { FIRST_TOKEN_AT } from '../../../simulator/cluster.js';
import { readSlo, SLO_WANTED, type Slo } from '../../../simulator/slo.js';
import { readWarmup, WARMUP_WANTED, type Warmup } from '../../../simulator/warmup.js';
import { LENGTHS_WANTED, readLengths, type Lengths } from '../../../traffic/lengths.js';
import type { CommandTable } from '../../options/command-table.js';
import { amount, severalOf } from '../../options/text-kinds.js';
import { chipPrices } from './charges.js';
import { bandwidths } from './network.js';
import { poolsOf } from './pools.js';
import { TRACE_WANTED, traceParts } from './trace-name.js';
import { traceWindow } from './trace-window.js';

const lengths: TextKind<Lengths> = { wanted: LENGTHS_WANTED, read: readLengths };
const slo: TextKind<Slo> = { wanted: SLO_WANTED, read: readSlo };
const warmup: TextKind<Warmup> = { wanted: WARMUP_WANTED, read: readWarmup };
const trace: TextKind<string> = {
  wanted: TRACE_WANTED,
  read: (given) => (traceParts(given) === undefined ? undefined : given),
};

/** The options of `simulate`, a table for each group of them. */
export const SIMULATE = {
  load: {
    trace: {
      kind: trace,
      flags: '--trace <what>',
      help: 'lengths, and without --rate arrivals: azure:FILE.csv, splitwise:FILE.csv of splitwise-sim, mooncake:FILE.jsonl, synthetic:code or synthetic:conversation, or serve:FILE.json of "bench serve"',
    },
    rate: {
      kind: amount('requests a second'),
      flags: '--rate <r>',
      help: 'requests a second, Poisson, with lengths drawn from the trace',
    },
    duration: {
      kind: amount('a number of seconds'),
      flags: '--duration <s>',
      help: 'seconds in which requests arrive',
      default: 120,
    },
    numPrompts: {
      kind: whole(1),
      flags: '--num-prompts <n>',
      help: 'the first n requests of a trace whose arrivals count',
    },
    resample: {
      kind: oneOf(['together', 'independent']),
      flags: '--resample <how>',
      help: 'together (default): prompt and answer of one request; independent: each for itself',
    },
    inputLen: {
      kind: lengths,
      flags: '--input-len <tokens>',
      help: '128, 32-256, or lognormal:MEDIAN:SIGMA, without a trace',
    },
    outputLen: { kind: lengths, flags: '--output-len <tokens>', help: 'likewise' },
    firstTokenAt: {
      kind: oneOf(FIRST_TOKEN_AT),
      flags: '--first-token-at <phase>',
      help: 'where prompts and decoding are apart: prefill (default) or decode, when the cache has arrived there',
    },
    warmup: {
      kind: warmup,
      flags: '--warmup <rule>',
      help: 'requests at the beginning that do not count: none (default), those of so many seconds, or by the rule mser-5 as many as the load takes to settle',
    },
    seed: { kind: whole(0), flags: '--seed <n>', help: 'the first seed', default: 0 },
    seeds: { kind: whole(1), flags: '--seeds <n>', help: 'runs with different arrivals and lengths', default: 1 },
  },
  slo: {
    slo: {
      kind: slo,
      flags: '--slo <limits>',
      help: 'spad:loose, spad:normal, spad:tight, splitwise, or ms such as ttft:p90:500,tbt:p99:50',
    },
  },
  price: {
    price: {
      kind: chipPrices,
      flags: '--price <list>',
      help: 'dollars an hour of chips, such as h100-sxm=2.5 (default: the catalogue)',
    },
  },
  output: {
    json: { kind: toggle, flags: '--json', help: 'print JSON instead of tables' },
    csv: { kind: toggle, flags: '--csv', help: 'print the table as CSV' },
    report: {
      kind: text('the path of a page'),
      flags: '--report <file>',
      help: 'write a page with figures and tables',
    },
    quiet: { kind: toggle, flags: '--quiet', help: 'say nothing on standard error' },
  },
  runSchema: {
    schema: { kind: toggle, flags: '--schema', help: 'print the format of the cluster file as a JSON Schema' },
  },
  run: {
    output: {
      kind: text('the path of a file'),
      flags: '--output <file>',
      help: 'write the result as "bench serve" writes its own',
    },
  },
  /** Of every question that requests of a trace are simulated for. */
  window: {
    traceWindow: {
      kind: traceWindow,
      flags: '--trace-window <what>',
      help: 'write steps and transfers of the run, or of those that are the answer, as a Chrome trace, such as "10s..12s out.json"',
    },
  },
  provision: {
    most: { kind: whole(1), flags: '--most <n>', help: 'machines of a pool at most', default: 40 },
    pools: {
      kind: poolsOf,
      flags: '--pools <list>',
      help: 'instead of a file: chips of a machine for each role, such as prefill=8xspad-prefill,decode=8xspad-decode or both=h100-sxm, with 400 Gb/s a chip between them',
    },
    model: {
      kind: text('a model'),
      flags: '--model <name>',
      help: 'with --pools: a model of "predict list", or a folder',
    },
    weights: {
      kind: text('a format'),
      flags: '--weights <format>',
      help: 'with --pools: format of the weights (default: f16)',
    },
  },
  gain: {
    prefill: {
      kind: text('a chip'),
      flags: '--prefill <chip>',
      help: 'where prompts are processed, such as a100-80 or 2xh100-sxm',
      required: true,
    },
    decode: { kind: text('a chip'), flags: '--decode <chip>', help: 'where decoding happens', required: true },
    model: {
      kind: text('a model'),
      flags: '--model <name>',
      help: 'a model of "predict list", or a folder',
      required: true,
    },
    weights: {
      kind: text('a format'),
      flags: '--weights <format>',
      help: 'format of the weights',
      default: 'f16',
    },
    network: {
      kind: bandwidths,
      flags: '--network <rates>',
      help: '1..800Gbps or 8,100,400',
      default: [1, 8, 25, 100, 400, 800],
    },
    latency: { kind: number(), flags: '--latency <ms>', help: 'of the network', default: 0 },
    promptLen: { kind: severalOf(whole(1)), flags: '--prompt-len <list>', help: 'tokens of prompts' },
    answerLen: { kind: severalOf(whole(1)), flags: '--answer-len <list>', help: 'tokens of answers' },
  },
  sweep: {
    schema: { kind: toggle, flags: '--schema', help: 'print the format of a study as a JSON Schema' },
    output: {
      kind: text('the path of a file'),
      flags: '--output <file>',
      help: 'results, which a sweep goes on from (default: beside the study)',
    },
    threads: { kind: whole(1), flags: '--threads <n>', help: 'threads (default: one a core)' },
  },
  replay: {
    calibration: {
      kind: text('the path of a file'),
      flags: '--calibration <file>',
      help: 'a calibration instead of the one kept of this machine',
    },
    adapter: {
      kind: text('part of its name'),
      flags: '--adapter <name>',
      help: 'which calibration, where there are several',
    },
    fit: {
      kind: text('a policy, or none'),
      flags: '--fit <policy>',
      help: 'whose recorded step times say what steps cost (default: the first that has some), or none: the calibration does',
    },
  },
  replicate: {
    data: {
      kind: text('the path of a folder'),
      flags: '--data <folder>',
      help: 'where the published data lies',
      default: '.',
    },
    seeds: {
      kind: whole(1),
      flags: '--seeds <n>',
      help: 'loads that the machines of spad-provision and spad-slos have to serve, each drawn anew',
      default: 1,
    },
    short: { kind: toggle, flags: '--short', help: 'leave out what searches for minutes' },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

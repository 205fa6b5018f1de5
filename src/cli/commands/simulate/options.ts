import type { Lengths } from '../../../traffic/lengths.js';
import { parseLengths } from '../../../traffic/lengths.js';
import { parseSlo, type Slo } from '../../../simulator/slo.js';
import { parsePrices, type Prices } from './charges.js';
import { parseWindow, type Window } from './trace-window.js';
import { group } from '../../options/group.js';
import { nonEmpty, oneOf, positive, whole } from '../../options/parse.js';

/** How an answer is printed, and whether a page is written. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly quiet?: boolean;
  readonly report?: string;
}

/** Options of `simulate`, under the names commander gives them. */
export interface SimulateFlags extends OutputFlags {
  readonly trace?: string;
  readonly rate?: number;
  readonly duration?: number;
  readonly numPrompts?: number;
  readonly seeds?: number;
  readonly seed?: number;
  readonly resample?: 'together' | 'independent';
  readonly inputLen?: Lengths;
  readonly outputLen?: Lengths;
  readonly slo?: Slo;
  readonly price?: Prices;
  readonly output?: string;
  readonly traceWindow?: Window;
  readonly schema?: boolean;
}

/** Options that say what load comes. */
export const addLoadOptions = group((command) =>
  command
    .optionsGroup('Load:')
    .option(
      '--trace <what>',
      'lengths, and without --rate arrivals: azure:FILE.csv, mooncake:FILE.jsonl, synthetic:code or synthetic:conversation, or serve:FILE.json of "bench serve"',
      nonEmpty('--trace', 'a kind and a file, such as azure:conv.csv'),
    )
    .option(
      '--rate <r>',
      'requests a second, Poisson, with lengths drawn from the trace',
      positive('--rate', 'requests a second'),
    )
    .option(
      '--duration <s>',
      'seconds in which requests arrive (default: 120)',
      positive('--duration', 'a number of seconds'),
    )
    .option('--num-prompts <n>', 'the first n requests of a trace whose arrivals count', whole('--num-prompts', 1))
    .option(
      '--resample <how>',
      'together (default): prompt and answer of one request; independent: each for itself',
      oneOf('--resample', ['together', 'independent']),
    )
    .option(
      '--input-len <tokens>',
      '128, 32-256, or lognormal:MEDIAN:SIGMA, without a trace',
      parseLengths('--input-len'),
    )
    .option('--output-len <tokens>', 'likewise', parseLengths('--output-len'))
    .option('--seed <n>', 'the first seed (default: 0)', whole('--seed', 0))
    .option('--seeds <n>', 'runs with different arrivals and lengths (default: 1)', whole('--seeds', 1)),
);

export const addSloOptions = group((command) =>
  command
    .optionsGroup('SLO:')
    .option(
      '--slo <limits>',
      'spad:loose, spad:normal, spad:tight, splitwise, or ms such as ttft:p90:500,tbt:p99:50',
      parseSlo,
    ),
);

/** Of every question that requests of a trace are simulated for. */
export const addTraceWindowOption = group((command) =>
  command.option(
    '--trace-window <what>',
    'write steps and transfers of the run, or of the one that is the answer, as a Chrome trace, such as "10s..12s out.json"',
    parseWindow,
  ),
);

export const addPriceOption = group((command) =>
  command.option(
    '--price <list>',
    'dollars an hour of chips, such as h100-sxm=2.5 (default: the catalogue)',
    parsePrices,
  ),
);

export const addOutputOptions = group((command) =>
  command
    .optionsGroup('Output:')
    .option('--json', 'print JSON instead of tables')
    .option('--csv', 'print the table as CSV')
    .option('--report <file>', 'write a page with figures and tables', nonEmpty('--report', 'the path of a page'))
    .option('--quiet', 'say nothing on standard error'),
);

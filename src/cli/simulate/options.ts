import type { Command } from 'commander';
import type { Lengths } from '../../traffic/lengths.js';
import { parseLengths } from '../../traffic/lengths.js';
import { parseSlo, type Slo } from '../../simulator/slo.js';
import { nonEmpty, positive, whole } from '../parse.js';

/** Options of `simulate`, under the names commander gives them. */
export interface SimulateFlags {
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
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly output?: string;
  readonly traceWindow?: string;
  readonly schema?: boolean;
  readonly quiet?: boolean;
}

/** Options that say what load comes. */
export function addLoadOptions(command: Command): Command {
  return command
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
      (text) => text,
    )
    .option(
      '--input-len <tokens>',
      '128, 32-256, or lognormal:MEDIAN:SIGMA, without a trace',
      parseLengths('--input-len'),
    )
    .option('--output-len <tokens>', 'likewise', parseLengths('--output-len'))
    .option('--seed <n>', 'the first seed (default: 0)', whole('--seed', 0))
    .option('--seeds <n>', 'runs with different arrivals and lengths (default: 1)', whole('--seeds', 1));
}

export function addSloOptions(command: Command): Command {
  return command
    .optionsGroup('SLO:')
    .option(
      '--slo <limits>',
      'spad:loose, spad:normal, spad:tight, splitwise, or ms such as ttft:p90:500,tbt:p99:50',
      parseSlo,
    );
}

export function addOutputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--json', 'print JSON instead of tables')
    .option('--csv', 'print the table as CSV')
    .option('--quiet', 'say nothing on standard error');
}

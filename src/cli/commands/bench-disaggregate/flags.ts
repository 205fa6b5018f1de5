import type { AdapterPair } from '../../../../bench/disaggregate/plan.js';
import { DEFAULT_STATISTIC, STATISTICS } from '../../../../bench/compare/statistic.js';
import { number, oneOf, text, whole, type TextKind } from '../../../engine/options/kinds.js';
import type { CommandTable } from '../../options/command-table.js';
import { listed, repeated, wholes } from '../../options/text-kinds.js';

const pair: TextKind<AdapterPair> = {
  wanted: 'who computes prompts and who answers, such as llvmpipe:swiftshader',
  read(given) {
    const [prefill, decode, ...rest] = given.split(':').map((part) => part.trim());
    if (prefill === '' || decode === undefined || decode === '' || rest.length > 0) return undefined;
    return { prefill, decode };
  },
};

/** Megabits a second, 0 for a link as fast as the machine can. */
const network: TextKind<number> = {
  wanted: 'none or megabits a second, such as none,1000,100,20',
  read: (given) => (given === 'none' ? 0 : number({ low: 0, above: true }).read(given, undefined)),
};

/** The options of `bench disaggregate` beside those of the model. */
export const BENCH_DISAGGREGATE = {
  what: {
    pair: {
      kind: repeated(pair),
      flags: '--pair <prefill:decode>',
      help: 'parts of the names of two adapters: who computes prompts, and who answers (repeatable)',
      required: true,
    },
    prompts: { kind: wholes(17), flags: '--prompts <lengths>', help: 'prompt lengths', default: [64, 256, 448] },
    outputs: { kind: wholes(2), flags: '--outputs <lengths>', help: 'tokens to generate', default: [8, 64] },
    network: {
      kind: listed(network),
      flags: '--network <list>',
      help: 'rates of the link: none,1000,100,20 by default, in megabits a second',
    },
    delay: {
      kind: listed(number({ low: 0, high: 10_000 }, 'milliseconds')),
      flags: '--delay <list>',
      help: 'milliseconds that a byte is under way, each direction; 0,5 by default',
    },
    chunk: {
      kind: whole(16),
      flags: '--chunk <n>',
      help: 'tokens of a prompt in one step, of who computes prompts',
      default: 64,
    },
    repetitions: { kind: whole(1), flags: '--repetitions <n>', help: 'rounds that count', default: 5 },
    warmup: { kind: whole(0), flags: '--warmup <n>', help: 'rounds before them that do not', default: 1 },
  },
  result: {
    output: { kind: text('a path'), flags: '--output <file>', help: 'write the result here too, as JSON, each round' },
    svg: { kind: text('a path'), flags: '--svg <file>', help: 'draw the maps and what requests went into' },
    statistic: {
      kind: oneOf(STATISTICS),
      flags: '--statistic <name>',
      help: `what stands for the samples of a point: ${STATISTICS.join(', ')}`,
      default: DEFAULT_STATISTIC,
    },
    format: {
      kind: oneOf(['markdown', 'json'] as const),
      flags: '--format <format>',
      help: 'what is printed: markdown or json',
    },
  },
} as const satisfies Readonly<Record<string, CommandTable>>;

import { PARTS } from '../../../../bench/defaults.js';
import { oneOf, text, toggle, whole, type TextKind } from '../../../engine/options/kinds.js';
import type { CommandTable } from '../../options/command-table.js';
import { listed, wholes } from '../../options/text-kinds.js';

/** A browser's path; true where one is to be found. */
const program: TextKind<string | true> = {
  wanted: 'the path of a browser',
  read: (given) => (given.trim() === '' ? undefined : given),
};

/** The options of `bench` beside those of the model. */
export const BENCH = {
  quick: {
    kind: toggle,
    flags: '--quick',
    help: 'fewer points and repetitions: under a minute with the built-in model on a software driver',
  },
  prompts: { kind: wholes(), flags: '--prompts <lengths>', help: 'prompt lengths for TTFT and pp rows' },
  contexts: { kind: wholes(), flags: '--contexts <lengths>', help: 'tokens in the cache for TPOT and tg rows' },
  batches: { kind: wholes(), flags: '--batches <sizes>', help: 'sequences that decode together, up to 32' },
  gen: { kind: whole(2), flags: '--gen <n>', help: 'tokens to generate a sequence' },
  repetitions: { kind: whole(1), flags: '--repetitions <n>', help: 'runs that count, a point' },
  warmup: { kind: whole(0), flags: '--warmup <n>', help: 'runs before them that do not' },
  budget: {
    kind: whole(1),
    flags: '--budget <seconds>',
    help: 'about how long the points may take together: for large models on slow adapters (45 with --quick, else none)',
  },
  only: { kind: listed(oneOf(PARTS)), flags: '--only <parts>', help: `of ${PARTS.join(',')}` },
  noTokenize: {
    kind: toggle,
    flags: '--no-tokenize',
    help: 'prompts as token ids, so that TTFT does not include tokenisation',
  },
  browser: {
    kind: program,
    flags: '--browser [path]',
    help: 'measure in a Chrome or Chromium without a window, too, and say what it costs; one of this machine when none is named',
  },
  output: {
    kind: text('a path'),
    flags: '--output <file>',
    help: 'write the result here too, as JSON, after each point',
  },
  resume: {
    kind: text('the path of a result'),
    flags: '--resume <file>',
    help: 'go on with a result that was stopped',
  },
  format: {
    kind: oneOf(['markdown', 'csv', 'json'] as const),
    flags: '--format <format>',
    help: 'what is printed: markdown, csv or json',
  },
  schema: { kind: toggle, flags: '--schema', help: 'print the JSON schema of results, and measure nothing' },
} as const satisfies CommandTable;

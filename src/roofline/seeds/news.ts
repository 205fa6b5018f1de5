import { figuresOf, type SeedFigure } from './figure.js';
import { measuredUtilisation } from './measured.js';

const { wrong, beyond } = figuresOf('002');

/**
 * Work got out of a GPU-hour when 80 % of the idle time goes, over before: what "80 % less idle" is worth at the same
 * price an hour.
 */
const gain = (idle: number) => (1 - 0.2 * idle) / (1 - idle);

export const NEWS_FIGURES: readonly SeedFigure[] = [
  wrong(
    'W18.1',
    'unified architectures',
    'compute idle in decode, batch 1, A100',
    '60–70%',
    () => 100 - measuredUtilisation('a100', 1),
    'Llama-2-7B’s linear layers as Vidur measured them. It takes batches of 64 to get to 70%.',
  ),
  wrong(
    'W18.2',
    'tensor cores',
    'tensor rate in prefill, 2048 tokens, A100',
    '80–90%',
    () => measuredUtilisation('a100', 2048),
    'Of peak, in the matrix products alone; norms, attention and the rest come on top.',
  ),
  wrong(
    'W18.3',
    'tensor cores',
    'tensor rate in prefill, 2048 tokens, H100',
    '80–90%',
    () => measuredUtilisation('h100', 2048),
    'As above.',
  ),
  beyond(
    '002.idle.64',
    'unified architectures',
    'compute idle in decode, batch 64, A100',
    '60–70%',
    'The edge of the claim, at a batch it does not name.',
    () => 100 - measuredUtilisation('a100', 64),
  ),
  beyond(
    '002.cost.low',
    'summary',
    'cost of a token, if 60% idle falls by 80%',
    '2–4x',
    'No setting is given. By the page’s own two numbers, at the same price a GPU-hour.',
    () => gain(0.6),
  ),
  beyond(
    '002.cost.high',
    'summary',
    'the same from 70% idle',
    '2–4x',
    'So 4x does not follow from them, and the headline’s 3x just about.',
    () => gain(0.7),
  ),
  beyond(
    '002.jamba',
    'Jamba',
    'response time, cost over unified',
    '100 ms, 1/3',
    'Model, hardware, load and what was timed are not given.',
  ),
];

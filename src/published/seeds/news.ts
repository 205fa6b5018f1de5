import { decodeStep } from '../../roofline/predict/decode-line.js';
import { phaseSummary } from '../../roofline/predict/phase-summary.js';
import { kvBytesOf } from '../../roofline/questions/split.js';
import { tokenCost } from '../../roofline/questions/token-cost.js';
import type { SeedFigure } from './figure.js';
import { largeProductUtilisation, measuredUtilisation } from './measured.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { reproduced, wrong, beyond, predicted } = figuresOf('002');

/**
 * Work got out of a GPU-hour when 80 % of the idle time goes, over before: what "80 % less idle" is worth at the same
 * price an hour.
 */
const gain = (idle: number) => (1 - 0.2 * idle) / (1 - idle);

const h100 = () => predictorOf('llama-3.1-8b', 'h100-sxm');
const CONTEXT = 1024;

/** Percent of compute that decode leaves idle. */
function idleAt(batch: number): number {
  const step = decodeStep(CONTEXT, batch);
  return 100 * phaseSummary(h100(), [step], h100().stepSeconds(step)).idleCompute;
}

/** The smallest batch whose decode leaves no more than 70 % of compute idle; undefined where none is large enough. */
function batchOfClaim(): number | string {
  for (let batch = 1; batch <= 2048; batch *= 2) if (idleAt(batch) <= 70) return batch;
  return 'none up to 2048';
}

/** Hourly prices an H100 and a card of the kind the page would decode on may be rented for; stated, not measured. */
const [DEAR, CHEAP] = [2.5, 0.8];

/** How many times cheaper a token of a chat (1020 in, 129 out) is with decode on another card. */
function cheaper(decode: string): number {
  const request = { promptTokens: 1020, outputTokens: 129, batch: 16 };
  const dear = { predictor: h100(), price: { usdPerHour: DEAR } };
  const cheap = { predictor: predictorOf('llama-3.1-8b', decode), price: { usdPerHour: CHEAP } };
  return tokenCost(dear, dear, request).dollars! / tokenCost(dear, cheap, request).dollars!;
}

export const NEWS_FIGURES: readonly SeedFigure[] = [
  reproduced(
    'W18.2',
    'tensor cores',
    'tensor rate of one large product of prefill, A100',
    '80–90%',
    largeProductUtilisation,
    '2048 x 12288 x 12288, as LLMCompass’ authors measured it. Of matrix products alone; norms and attention come on top.',
  ),
  beyond(
    '002.rate.small',
    'tensor cores',
    'the same of Llama-2-7B’s layers, 2048 tokens, A100',
    '80–90%',
    'The page names no model; smaller layers reach less.',
    () => measuredUtilisation('a100', 2048),
  ),
  wrong(
    'W18.3',
    'tensor cores',
    'tensor rate in prefill, 2048 tokens, H100',
    '80–90%',
    () => measuredUtilisation('h100', 2048),
    'Llama-2-7B’s layers as Vidur measured them, the best of all token counts; the page names the H100 first.',
  ),
  beyond(
    'W18.1',
    'unified architectures',
    'compute idle in decode, batch 1, A100',
    '60–70%',
    'Llama-2-7B’s linear layers as Vidur measured them: by far idler alone, but no batch is named.',
    () => 100 - measuredUtilisation('a100', 1),
  ),
  beyond(
    '002.idle.64',
    'unified architectures',
    'compute idle in decode, batch 64, A100',
    '60–70%',
    'The edge of the claim, at a batch it does not name.',
    () => 100 - measuredUtilisation('a100', 64),
  ),
  predicted(
    '002.idle.batch',
    'unified architectures',
    'batch at which decode leaves 70% idle, H100',
    'not printed',
    batchOfClaim,
    'Llama-3.1-8B with 1024 tokens of context each: attention reads each cache for itself, which no batch shares.',
    { otherUnit: true },
  ),
  predicted(
    '002.idle.predicted',
    'unified architectures',
    'compute idle in decode, batch 64, H100',
    '60–70%',
    () => idleAt(64),
    'The same model and context.',
  ),
  reproduced(
    '002.kv',
    'KV cache',
    'cache of one sequence of 8192 tokens, Llama-3-8B',
    'gigabytes',
    () => (kvBytesOf(predictorOf('llama-3.1-8b', 'h100-sxm'), 8192) >= 1e9 ? 'gigabytes' : 'less'),
    '1.07 GB; at 4096 tokens Llama-2-7B has 2.15 and Llama-3-70B 1.34.',
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
  ...(['l40s', 'a100-80'] as const).map((decode) =>
    predicted(
      `002.cost.${decode}`,
      'summary',
      `unified on H100 over decode on ${decode}, a token`,
      '2–4x',
      () => cheaper(decode),
      `Llama-3.1-8B, 1020 tokens in and 129 out, batch 16, no machine ever idle, $${DEAR.toFixed(2)} and ` +
        `$${CHEAP.toFixed(2)} an hour: price over bandwidth is all that splitting changes.`,
    ),
  ),
  beyond(
    '002.jamba',
    'Jamba',
    'response time, cost over unified',
    '100 ms, 1/3',
    'Model, hardware, load and what was timed are not given.',
  ),
];

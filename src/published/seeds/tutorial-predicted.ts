import { crossover } from '../../roofline/questions/crossover.js';
import { kvBytesOf } from '../../roofline/questions/split.js';
import { predictWith } from '../../roofline/predict/predict.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { predicted } = figuresOf('003');

const on = (hardware: string, tokens: number) =>
  predictWith(predictorOf('llama-3.1-8b', hardware), { promptTokens: tokens, outputTokens: 2 });
const H100 = 'h100-sxm';
const NOTE = 'The page takes 50% of the FLOPs, all of the bandwidth and 0.1 ms a layer; ours are measured layers.';

const GPUS = [
  ['T4', 't4', '2024.1', '60.88', 'FAIL'],
  ['A100', 'a100-80', '421.7', '12.25', 'FAIL'],
  ['H100', H100, '133.0', '8.71', 'PASS'],
  ['H200', 'h200', '133.0', '7.05', 'PASS'],
] as const;

/** TTFT's part of a request, in percent. */
const share = (promptTokens: number, outputTokens: number) =>
  100 * predictWith(predictorOf('llama-3.1-8b', H100), { promptTokens, outputTokens }).ttftShare;

/** What our own predictor says of the tutorial's numbers: Llama-3 8B in fp16 on one GPU. */
export const TUTORIAL_PREDICTED: readonly SeedFigure[] = [
  predicted('003.our.ttft', 'section 2', 'TTFT', '66.52 ms', () => 1e3 * on(H100, 2048).ttftSeconds, NOTE),
  predicted('003.our.itl', 'section 2', 'ITL', '8.35 ms', () => 1e3 * on(H100, 2048).tpotSeconds!, NOTE),
  predicted(
    '003.our.kv',
    'section 2',
    'KV cache of 2048 tokens',
    '1.20 GB',
    () => kvBytesOf(predictorOf('llama-3.1-8b', H100), 2048) / 1e9,
    'With the model’s 8 KV heads (W3).',
  ),
  ...GPUS.flatMap(([gpu, id, ttft, itl, verdict]) => [
    predicted(
      `003.our.${gpu}.ttft`,
      'section 5',
      `TTFT on ${gpu}`,
      `${ttft} ms`,
      () => 1e3 * on(id, 4096).ttftSeconds,
      NOTE,
    ),
    predicted(
      `003.our.${gpu}.itl`,
      'section 5',
      `ITL on ${gpu}`,
      `${itl} ms`,
      () => 1e3 * on(id, 4096).tpotSeconds!,
      NOTE,
    ),
    predicted(
      `003.our.${gpu}.sla`,
      'section 5',
      `${gpu}`,
      verdict,
      () => {
        const { ttftSeconds, tpotSeconds } = on(id, 4096);
        return ttftSeconds < 0.2 && tpotSeconds! < 0.05 ? 'PASS' : 'FAIL';
      },
      'Within 200 ms and 50 ms; whether it fits is not asked.',
    ),
  ]),
  predicted(
    '003.our.chatbot',
    'exercise 2',
    'TTFT’s share, 50 tokens in and 500 out',
    'asked',
    () => share(50, 500),
    'On an H100.',
    { unit: '%' },
  ),
  predicted(
    '003.our.summariser',
    'exercise 2',
    'TTFT’s share, 4000 tokens in and 100 out',
    'asked',
    () => share(4000, 100),
    'On an H100; the page calls it TTFT-dominated (W6.3).',
    { unit: '%' },
  ),
  predicted(
    '003.our.crossing',
    'exercise 3',
    'prompt where TTFT passes 256 decode steps',
    'asked',
    () => {
      return crossover(predictorOf('llama-3.1-8b', H100), 256, [128, 131_072]).promptTokens ?? 'never';
    },
    'The sweep of the exercise ends at 32,768.',
    { unit: ' tokens' },
  ),
];

import { MLSYSIM_HARDWARE, MLSYSIM_MODELS, mlsysim, ttftShare, type MlsysimQuery } from '../mlsysim.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';

const { reproduced, consistent, beyond } = figuresOf('003');
const seed = (query?: MlsysimQuery) => mlsysim('mlsysim-seed', query);

const { 'llama3-8b': small, 'llama3-70b': large } = MLSYSIM_MODELS;

/** FLOPs for each byte of fp16 weights read, `tokens` at a time. */
export const weightIntensity = (tokens: number) => (2 * tokens) / 2;

const QUANTIZATION = [
  ['fp16', '66.52', '8.35', '16.06'],
  ['int8', '33.25', '5.78', '8.03'],
  ['int4', '66.52', '4.49', '4.02'],
] as const;

/** The table is for 4096 tokens: its numbers say so; the page’s code, which would, is missing in our copy. */
const GPUS = [
  ['T4', '2024.1', '60.88', 'FAIL'],
  ['A100', '421.7', '12.25', 'FAIL'],
  ['H100', '133.0', '8.71', 'PASS'],
  ['H200', '133.0', '7.05', 'PASS'],
] as const;

const onGpu = (gpu: keyof typeof MLSYSIM_HARDWARE) => seed({ hardware: MLSYSIM_HARDWARE[gpu], tokens: 4096 });

const LOST = 'The output of this section is missing in our copy; by the page’s formulas.';

/** TTFT below 200 ms and ITL below 50 ms. */
export function meetsTutorialSla(gpu: keyof typeof MLSYSIM_HARDWARE): 'PASS' | 'FAIL' {
  const { ttftMs, itlMs } = onGpu(gpu);
  return ttftMs < 200 && itlMs < 50 ? 'PASS' : 'FAIL';
}

export const TUTORIAL: readonly SeedFigure[] = [
  reproduced('003.ttft', 'section 2', 'TTFT, Llama-3 8B, H100, 2048 tokens', '66.52 ms', () => seed().ttftMs),
  reproduced('003.itl', 'section 2', 'ITL', '8.35 ms', () => seed().itlMs),
  reproduced('003.weights', 'section 2', 'model weights', '16.06 GB', () => seed().weightBytes / 1e9),
  reproduced(
    '003.kv',
    'section 2',
    'KV cache',
    '1.20 GB',
    () => seed().kvBytes / 1e9,
    'by an inferred formula; the model has 0.27 GB (W3)',
  ),
  reproduced(
    '003.memory',
    'section 2',
    'memory utilisation',
    '20.1%',
    () => 100 * seed().utilisation,
    'of 80 GiB, which is what an H100’s "80 GB" are',
  ),
  consistent('003.bytes', 'background', '8 billion parameters of 2 bytes', '16 GB', () => (8e9 * 2) / 1e9),
  consistent('003.reuse', 'section 2', 'arithmetic per weight, prefill over decode', '2048×', () => {
    return weightIntensity(2048) / weightIntensity(1);
  }),
  consistent('003.prefill', 'section 2', 'intensity of prefill', '2048 FLOP/byte', () => weightIntensity(2048)),
  consistent('003.decode', 'section 2', 'intensity of decode', '1 FLOP/byte', () => weightIntensity(1)),
  ...(['A100', 'H100', 'H200'] as const).flatMap((gpu) => {
    const on = () => seed({ hardware: MLSYSIM_HARDWARE[gpu] });
    return [
      beyond(`003.lost.${gpu}.ttft`, 'section 3', `TTFT on ${gpu}`, 'lost', LOST, () => on().ttftMs, ' ms'),
      beyond(`003.lost.${gpu}.itl`, 'section 3', `ITL on ${gpu}`, 'lost', LOST, () => on().itlMs, ' ms'),
    ];
  }),
  ...QUANTIZATION.flatMap(([precision, ttft, itl, weights]) => {
    // The first row repeats section 2.
    const derived = precision === 'fp16' ? consistent : reproduced;
    const id = `003.${precision}`;
    const on = () => seed({ precision });
    return [
      derived(`${id}.ttft`, 'section 4', `TTFT in ${precision}`, `${ttft} ms`, () => on().ttftMs),
      derived(`${id}.itl`, 'section 4', `ITL in ${precision}`, `${itl} ms`, () => on().itlMs),
      consistent(
        `${id}.weights`,
        'section 4',
        `weights in ${precision}`,
        `${weights} GB`,
        () => on().weightBytes / 1e9,
      ),
    ];
  }),
  ...GPUS.flatMap(([gpu, ttft, itl, verdict]) => [
    reproduced(`003.${gpu}.ttft`, 'section 5', `TTFT on ${gpu}, 4096 tokens`, `${ttft} ms`, () => onGpu(gpu).ttftMs),
    reproduced(`003.${gpu}.itl`, 'section 5', `ITL on ${gpu}, 4096 tokens`, `${itl} ms`, () => onGpu(gpu).itlMs),
    consistent(`003.${gpu}.sla`, 'section 5', `${gpu}: TTFT < 200 ms, ITL < 50 ms`, verdict, () => {
      return meetsTutorialSla(gpu);
    }),
  ]),
  consistent('003.ratio', 'exercise 1', 'parameters of 70B over 8B', '9×', () => large.parameters / small.parameters),
  beyond(
    '003.ratio.ttft',
    'exercise 1',
    'TTFT of 70B over 8B',
    'asked',
    'The exercise asks whether both grow by about 9×. By the page’s formulas TTFT does,',
    () => seed({ model: large }).ttftMs / seed().ttftMs,
    '×',
  ),
  beyond(
    '003.ratio.itl',
    'exercise 1',
    'ITL of 70B over 8B',
    'asked',
    'and ITL does not, as its constant tax grows with the layers (80 over 32).',
    () => seed({ model: large }).itlMs / seed().itlMs,
    '×',
  ),
  consistent(
    '003.chatbot',
    'exercise 2',
    'what a chatbot waits for, 50 tokens in and 500 out',
    'ITL-dominated',
    () => (ttftShare('mlsysim-seed', 50, 500) < 0.5 ? 'ITL-dominated' : 'TTFT-dominated'),
    'TTFT is 0.04% of it by the page’s own numbers.',
  ),
];

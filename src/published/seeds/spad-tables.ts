import { clusterCost } from '../../roofline/predict/spad.js';
import { decodeStep } from '../../roofline/predict/decode-line.js';
import type { SeedFigure } from './figure.js';
import { AZURE_MEDIANS } from './measured.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { consistent, predicted } = figuresOf('001');

const TOKENS = 1024;
const h100 = () => predictorOf('bloom-176b', 'h100-sxm', { tensorParallel: 8 });
const llama = (hardware: string) => predictorOf('llama-2-7b', hardware);

/** Machines' cost of Table 4's normal SLOs, in which Table 1's words are put in numbers. */
const COSTS = {
  coding: [{ h100: 36 }, { h100: 25 }, { prefill: 18, decode: 7 }],
  conversation: [{ h100: 34 }, { h100: 23 }, { prefill: 8, decode: 17 }],
} as const;

function costOrder(workload: keyof typeof COSTS): string {
  const [sarathi, splitwise, spad] = COSTS[workload].map((counts) => clusterCost(counts).cost);
  return sarathi > splitwise && splitwise > spad ? 'High, Med, Low' : 'another order';
}

/** Percentiles in the order of Table 5, slowdowns for loose, normal and tight. */
const TABLE_5 = [
  ['P90 TBT', '2.5×/2×/1.5×', [2.5, 2, 1.5]],
  ['P90 TTFT', '4×/3×/2×', [4, 3, 2]],
  ['P99 TBT', '6×/5×/3×', [6, 5, 3]],
  ['P99 TTFT', '8×/6×/4×', [8, 6, 4]],
] as const;

/** A slowdown in milliseconds, over the trace's median request alone on eight H100s. */
function limits(name: string, slowdowns: readonly number[], workload: 'coding' | 'conversation'): string {
  const { prompt, output } = AZURE_MEDIANS[workload];
  const alone = name.endsWith('TTFT')
    ? h100().prefillSeconds(prompt)
    : h100().decodeSeconds(prompt, output - 1) / (output - 1);
  return `${slowdowns.map((slowdown) => (1e3 * slowdown * alone).toFixed(0)).join('/')} ms`;
}

/** The largest batch whose decode step stays within a slowdown, at the conversation's median length. */
function batchWithin(slowdown: number): number {
  const { prompt, output } = AZURE_MEDIANS.conversation;
  const step = (batch: number) => h100().stepSeconds(decodeStep(prompt + output / 2, batch));
  const limit = slowdown * step(1);
  let batch = 1;
  while (batch < 4096 && step(batch + 1) <= limit) batch++;
  return batch;
}

/** SPAD's Table 1, whose words later tables and our predictor put in numbers, and its Table 5, in milliseconds. */
export const SPAD_TABLES: readonly SeedFigure[] = [
  ...(['coding', 'conversation'] as const).map((workload) =>
    consistent(
      `001.t1.cost.${workload}`,
      'Table 1',
      `Sarathi, Splitwise, SPAD: cost, ${workload}`,
      'High, Med, Low',
      () => costOrder(workload),
    ),
  ),
  predicted(
    '001.t1.groq.latency',
    'Table 1',
    'Groq’s latency beside GPUs at batch 1',
    'Very Low',
    () => {
      const [groq, gpu] = ['groqrack', 'h100-sxm'].map((id) => llama(id).decodeStepSeconds(TOKENS));
      return groq < gpu / 2 ? 'Very Low' : 'not that low';
    },
    'Time per token of Llama-2-7B with 1024 tokens of context, less than half an H100’s.',
  ),
  predicted(
    '001.t1.groq.throughput',
    'Table 1',
    'Groq’s throughput beside an H100’s at batch 64',
    '?',
    () => {
      const gpu = 64 / llama('h100-sxm').decodeStepSeconds(TOKENS, 64);
      return 1 / llama('groqrack').decodeStepSeconds(TOKENS) < gpu ? 'lower' : 'higher';
    },
    'The table’s note guesses so too: batches are small where memory is.',
    { otherUnit: true },
  ),
  ...TABLE_5.flatMap(([name, published, slowdowns]) =>
    (['coding', 'conversation'] as const).map((workload) =>
      predicted(
        `001.t5.${name.toLowerCase().replace(' ', '.')}.${workload}`,
        'Table 5',
        `${name}, ${workload}`,
        published,
        () => limits(name, slowdowns, workload),
        'Times the median request of the trace alone on eight H100s, as the paper defines them.',
        { otherUnit: true },
      ),
    ),
  ),
  ...(
    [
      ['loose', 2.5],
      ['normal', 2],
      ['tight', 1.5],
    ] as const
  ).map(([slo, slowdown]) =>
    predicted(
      `001.t5.batch.${slo}`,
      'Table 5',
      `sequences within ${slo} P90 TBT`,
      `${slowdown}×`,
      () => batchWithin(slowdown),
      'On eight H100s, at the conversation’s median length, as far as the step alone decides.',
      { otherUnit: true, unit: ' sequences' },
    ),
  ),
];

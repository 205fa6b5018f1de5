import { RECORDED } from '../replications/recorded.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { BLOG, bandwidthFloorMs, bottleneck, flashBytes, gemv, kvBytes, naiveBytes, ridge } from './llama70b.js';
import { weightIntensity } from './tutorial.js';

/** In the order of the strategies: shared, chunks of 512 and 2048, disaggregated, priority. */
const SIMULATED_STRATEGIES = Object.values(RECORDED['blog-strategies']);
const ABOUT_STRATEGIES =
  ' TTFT and ITL (P50, P99) in ms, tokens a second. Lengths of prompts and outputs, and the number of GPUs, are not given; W14 bounds what one GPU can do. "simulate replicate blog-strategies" makes it again.';

const { reproduced, consistent, simulated, beyond } = figuresOf('004');

/** Batch, without and with a CUDA graph in ms, speed-up and ms saved as printed. */
export const CUDA_GRAPH = [
  [1, 42.1, 33.8, '1.25x', '8.3 ms'],
  [8, 43.2, 34.1, '1.27x', '9.1 ms'],
  [32, 48.5, 39.8, '1.22x', '8.7 ms'],
  [128, 72.3, 63.1, '1.15x', '9.2 ms'],
  [256, 118.4, 109.8, '1.08x', '8.6 ms'],
] as const;

/** Phase, fp16 and int8 in ms, speed-up as printed. */
export const BLOG_INT8 = [
  ['prefill of 2048', 28.4, 15.2, '1.87x'],
  ['decode, batch 1', 42.1, 21.8, '1.93x'],
  ['decode, batch 128', 72.3, 41.5, '1.74x'],
] as const;

/** Rows of the intensity table whose bottleneck is right; W12 has the others. */
const INTENSITIES = [
  ['prefill', 2048, 'Compute-bound'],
  ['prefill', 512, 'Compute-bound'],
  ['prefill', 32, undefined],
  ['decode', 1, 'Bandwidth-bound'],
  ['decode', 32, undefined],
  ['decode', 256, undefined],
] as const;

/** TTFT P50 and P99, ITL P50 and P99 in ms, tokens a second. */
const STRATEGIES = [
  ['Shared (no chunking)', '85 / 320 / 68 / 180 / 3200'],
  ['Chunked prefill (C = 512)', '210 / 450 / 36 / 52 / 3800'],
  ['Chunked prefill (C = 2048)', '130 / 380 / 48 / 95 / 4100'],
  ['Disaggregated', '95 / 180 / 34 / 42 / 4500'],
  ['Priority scheduling', '250 / 600 / 34 / 45 / 3600'],
] as const;

const LAUNCH_MS = (80 * 20 * 5) / 1e3;

export const BLOG_FIGURES: readonly SeedFigure[] = [
  ...INTENSITIES.flatMap(([phase, tokens, verdict]) => {
    const id = `004.intensity.${phase}.${tokens}`;
    const what = `${phase}, ${tokens} tokens a step`;
    const row = consistent(id, 'intensity', what, `${tokens} FLOPs/byte`, () => weightIntensity(tokens));
    if (verdict === undefined) return [row];
    return [row, consistent(`${id}.bound`, 'intensity', `${what}: bound`, verdict, () => bottleneck(tokens))];
  }),
  consistent('004.ridge', 'intensity', 'H100 balance over decode at batch 1', '295x', ridge),
  consistent('004.weights', 'introduction', '70B in fp16', '140 GB', () => (2 * BLOG.parameters) / 1e9),
  consistent('004.tile.out', 'tiling', 'elements of an output tile', '32768', () => 128 * 256),
  consistent('004.tile.in', 'tiling', 'elements of its inputs', '24576', () => 128 * 64 + 64 * 256),
  consistent(
    '004.layer',
    'decode',
    'weights a layer',
    '1.75 GB',
    () => (2 * BLOG.parameters) / BLOG.layers / 1e9,
    'All parameters over 80 layers, embeddings included; a layer alone has 1.71 GB (W13.1).',
  ),
  consistent('004.gemv', 'decode', 'one 8192 x 8192 matrix', '134 MB', () => (2 * BLOG.hidden ** 2) / 1e6),
  consistent(
    '004.waiting',
    'decode',
    'share of it spent waiting for weights',
    '99.6%',
    () => 100 * (1 - gemv().compute / gemv().load),
    '99.66: cut off rather than rounded.',
    { truncated: true },
  ),
  consistent('004.decode', 'decode', 'tokens a second at batch 1', '24', () => 1e3 / bandwidthFloorMs()),
  consistent(
    '004.decode.table',
    'CUDA graphs',
    'tokens a second of its 42.1 ms without graph',
    '24',
    () => 1e3 / CUDA_GRAPH[0][1],
    'With a graph it would be 29.6 (W10.3).',
  ),
  consistent('004.launches', 'CUDA graphs', '80 layers of 20 launches of 5 µs', '8 ms', () => LAUNCH_MS),
  consistent(
    '004.launch.share',
    'CUDA graphs',
    '8 ms of 38',
    '21%',
    () => (100 * LAUNCH_MS) / (30 + LAUNCH_MS),
    'Of the time; as a speed-up it is 27%.',
  ),
  ...CUDA_GRAPH.flatMap(([batch, without, graph, speedup, saved]) => [
    consistent(`004.graph.${batch}.speedup`, 'CUDA graphs', `batch ${batch}: speed-up`, speedup, () => without / graph),
    consistent(`004.graph.${batch}.saved`, 'CUDA graphs', `batch ${batch}: time saved`, saved, () => without - graph),
  ]),
  beyond(
    '004.graph.measured',
    'CUDA graphs',
    'the step times themselves',
    '42.1 to 118.4 ms',
    'Said to be measured; no hardware here has them, and W10 says why one H100 has not either.',
  ),
  beyond(
    '004.attention.naive',
    'attention',
    'naive attention’s bytes over flash’s',
    'not printed',
    'Its function returns both and the page prints neither. At 4096 tokens it is 9 times with keys and values of 64 heads, ' +
      'as the function has them; the scores are 2.15 GB of a layer.',
    () => naiveBytes(4096, BLOG.kvHeads) / flashBytes(4096, BLOG.kvHeads),
    'x',
  ),
  beyond(
    '004.decode.measured',
    'decode',
    'throughput against batch, three series',
    'lost',
    'The chart’s values are missing in our copy.',
  ),
  ...BLOG_INT8.map(([phase, fp16, int8, speedup], at) => {
    return consistent(`004.int8.${at}`, 'quantisation', `${phase}: int8 speed-up`, speedup, () => fp16 / int8);
  }),
  beyond(
    '004.int8.measured',
    'quantisation',
    'decode in int8, batch 1: bandwidth floor',
    '21.8 ms',
    'Possible, 4% above the floor that stands beside it; the prefill column is not (W11).',
    () => bandwidthFloorMs(1),
  ),
  consistent('004.int8.rate', 'quantisation', 'int8 over fp16 tensor rate', '2x', () => BLOG.int8Ops / BLOG.flops),
  consistent('004.int8.bytes', 'quantisation', 'decode, half the bytes', '2x', () => {
    return bandwidthFloorMs(2) / bandwidthFloorMs(1);
  }),
  reproduced(
    '004.transfer',
    'disaggregation',
    'KV cache of 4096 tokens over 400 Gb/s',
    '26 ms',
    () => (kvBytes(4096) * 8 * 1e3) / 400e9,
    '26.8 with 4096 tokens, cut off; 26.2 with 4000.',
    { truncated: true },
  ),
  ...STRATEGIES.map(([strategy, row], at) => {
    return simulated(
      `004.strategy.${at}`,
      'strategies',
      strategy,
      row,
      `Ours, on 4 x H100 at a load of our own: ${SIMULATED_STRATEGIES[at]}.${at === 0 ? ABOUT_STRATEGIES : ''}`,
    );
  }),
];

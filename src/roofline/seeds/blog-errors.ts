import { BLOG_INT8, CUDA_GRAPH } from './blog.js';
import { figuresOf, type SeedFigure } from './figure.js';
import {
  assumedFeedForward,
  attentionFlops,
  bandwidthFloorMs,
  BLOG,
  bottleneck,
  chunkedParameters,
  layerBytes,
  mixedStepMs,
  prefillFloorMs,
  ridge,
  rooflineStepMs,
} from './llama70b.js';
import { SPAD_SPECS } from './spad-specs.js';

const { wrong, beyond } = figuresOf('004');

/** Tokens a second when arithmetic is all that counts: two FLOPs a parameter. */
const computeCeiling = (rate: number = BLOG.flops) => rate / (2 * BLOG.parameters);

/** NVIDIA's compute capability 9.0. */
const H100_COMPUTE_CAPABILITY = 90;

const belowFloor = CUDA_GRAPH.filter(([, , graph]) => graph < bandwidthFloorMs());

export const BLOG_ERRORS: readonly SeedFigure[] = [
  wrong(
    'W8.1',
    'attention',
    '80·2·64·4096²·128, as it writes',
    '2.75 TFLOP',
    () => attentionFlops(4096, 2) / 1e12,
    'Eight times too small: 2.75 is the product with 8 heads, the number of KV heads.',
  ),
  wrong(
    'W8.2',
    'attention',
    'FLOPs by the function above it (both products)',
    '2.75 TFLOP',
    () => attentionFlops(4096, 4) / 1e12,
    'The comment also leaves out the second product; half of this with a causal mask.',
  ),
  wrong(
    'W8.3',
    'attention',
    'time at the full 989 TFLOPS',
    '2.8 ms',
    () => (attentionFlops(4096, 4) / BLOG.flops) * 1e3,
    'Sixteen times as long; 22 ms with a causal mask.',
  ),
  wrong(
    'W9.1',
    'decode',
    'compute ceiling of decode, tokens a second',
    '15,000',
    () => computeCeiling(),
    'Two FLOPs a parameter and token at 989 TFLOPS. About 14,000 is the fp8 or int8 ceiling.',
  ),
  wrong(
    'W9.2',
    'decode',
    'gap between batch 1 and that ceiling',
    '600x',
    () => computeCeiling() / (1e3 / bandwidthFloorMs()),
    'It is the ridge point, as it must be.',
  ),
  wrong(
    'W9.3',
    'decode',
    '3200 tokens a second, of that ceiling',
    '21%',
    () => 100 * (3200 / computeCeiling()),
    'Follows from the ceiling.',
  ),
  wrong(
    'W10.1',
    'throughout',
    'memory the fp16 weights need on one H100',
    `${(BLOG.capacity / 1e9).toFixed(1)} GB (capacity)`,
    () => (2 * BLOG.parameters) / 1e9,
    'It does not fit, so no row labelled H100 can be one H100.',
  ),
  ...belowFloor.map(([batch, , graph], at) => {
    return wrong(
      `W10.${at + 2}`,
      'CUDA graphs',
      `least time of a step, batch ${batch} with graph`,
      `${graph} ms`,
      () => bandwidthFloorMs(),
      'Below the time one H100 needs to read the weights once.',
    );
  }),
  wrong(
    'W10.5',
    'decode',
    'tokens a second, 256 in its 109.8 ms',
    '3,200',
    () => (256 / CUDA_GRAPH[4][2]) * 1e3,
    'Two parts of the page contradict each other.',
  ),
  wrong(
    'W11.1',
    'quantisation',
    'least time of a prefill of 2048, fp16',
    `${BLOG_INT8[0][1]} ms`,
    () => prefillFloorMs(2048),
    'At 100% of the tensor rate and without attention.',
  ),
  wrong(
    'W11.2',
    'quantisation',
    'least time of a prefill of 2048, int8',
    `${BLOG_INT8[0][2]} ms`,
    () => prefillFloorMs(2048, BLOG.int8Ops),
    'As above at the int8 rate.',
  ),
  wrong(
    'W11.3',
    'quantisation',
    'PFLOP/s that its prefill would run at',
    `${BLOG.flops / 1e15} PFLOP/s (peak)`,
    () => (2 * BLOG.parameters * 2048) / (BLOG_INT8[0][1] * 1e-3) / 1e15,
    'Ten H100s’ worth.',
  ),
  wrong(
    'W12.1',
    'intensity',
    'decode at batch 256',
    'Compute-bound',
    () => bottleneck(256),
    'Left of the ridge at 295, if not far.',
  ),
  wrong(
    'W12.2',
    'intensity',
    'prefill of 32 tokens',
    'Borderline',
    () => bottleneck(32),
    `The ridge is ${(ridge() / 32).toFixed(1)} times higher.`,
  ),
  wrong('W12.3', 'intensity', 'decode at batch 32', 'Borderline', () => bottleneck(32), 'As above.'),
  wrong(
    'W13.1',
    'decode_roofline()',
    'bytes of a layer',
    '1.376 GB (its code)',
    () => layerBytes(BLOG.feedForward) / 1e9,
    `It takes a feed-forward width of ${assumedFeedForward()}, eight thirds of the hidden size; the model has 28,672.`,
  ),
  wrong(
    'W13.2',
    'decode_roofline()',
    'balance_point, tokens',
    '0.0034 (its code)',
    ridge,
    'Bandwidth over compute, upside down; the words elsewhere on the page have it right.',
  ),
  wrong(
    'W13.3',
    'decode_roofline()',
    'time_per_token_ms at batch 32',
    '1.03 ms (its code)',
    () => rooflineStepMs(32),
    'Divides a step by its batch, which is the reciprocal of throughput; each user waits for the whole step.',
  ),
  wrong(
    'W14.1',
    'chunked_prefill_latency()',
    'bytes of the weights it counts FLOPs for',
    '171.8 GB (its code)',
    () => (2 * chunkedParameters()) / 1e9,
    'Bytes come from 32 d² a layer, FLOPs from 12 d²: 16 bits each would be 24 d². Neither is the 140 GB of the text, ' +
      'and KV traffic is missing.',
  ),
  ...[0, 128, 256, 512, 1024, 2048, 4096].map((chunk) =>
    beyond(
      `W14.c${chunk}`,
      'chunked prefill',
      `ITL, 128 decoding and a chunk of ${chunk}`,
      'lost',
      'The chart’s values are missing in our copy; ours is 70 billion parameters at 100% of one H100.',
      () => mixedStepMs(128, chunk),
      ' ms',
    ),
  ),
  wrong(
    'W14.2',
    'strategies',
    'least ITL with chunks of 512',
    '36 ms',
    () => mixedStepMs(128, 512),
    'With 128 sequences decoding; even with none it takes no less than the weights take to read, 41.8 ms.',
  ),
  wrong(
    'W14.3',
    'strategies',
    'least ITL, disaggregated or priority',
    '34 ms',
    () => bandwidthFloorMs(),
    'Below one H100’s bandwidth floor at any batch.',
  ),
  wrong(
    'W15.1',
    'tiling',
    'L1 and shared memory of an H100 SM',
    '192 KB',
    () => SPAD_SPECS.h100.l1KBPerCore,
    '192 is the A100’s; of the H100’s, 228 can be shared memory.',
  ),
  wrong(
    'W15.2',
    'profiling',
    'generation in an H100 kernel’s name',
    'sm80',
    () => `sm${H100_COMPUTE_CAPABILITY}`,
    'sm80 is the A100. (cuBLAS does run some sm80 kernels on an H100, but not its fast ones.)',
  ),
];

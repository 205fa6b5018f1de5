import { chunkLatency } from '../../roofline/questions/chunk.js';
import { quantization } from '../../roofline/questions/quantization.js';
import { BLOG_INT8, CUDA_GRAPH } from './blog.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { predictorOf } from './subjects.js';

const { predicted } = figuresOf('004');

/** The page gives no number of GPUs; four are what Llama 70B in fp16 is usually served on. */
const CHIPS = 4;
const model = () => predictorOf('llama-3.1-70b', 'h100-sxm', { tensorParallel: CHIPS });
const CONTEXT = 1024;
const NOTE = `Llama-3.1-70B on ${CHIPS} H100s with ${CONTEXT} tokens of context, as the page gives neither; "predict --tp" for others.`;

const CHUNKS = [0, 128, 256, 512, 1024, 2048, 4096];

const itl = (chunk: number) => {
  const load = { decoding: 128, context: CONTEXT, promptTokens: 4096 };
  return 1e3 * chunkLatency(model(), load, [chunk])[0].itlSeconds;
};

/** How many times faster W8A8 is, in prefill or decode. */
function int8Speedup(phase: 'prefill' | 'decode', batch: number): number {
  const rows = quantization(
    model().model,
    model().hardware,
    { promptTokens: 2048, outputTokens: 2, batch },
    {
      tensorParallel: CHIPS,
    },
  );
  const { ttftSpeedup, tpotSpeedup } = rows.find(({ name }) => name === 'W8A8')!;
  return phase === 'prefill' ? ttftSpeedup : tpotSpeedup!;
}

/** What our own predictor says of the blog's tables, on a machine that can hold the model. */
export const BLOG_PREDICTED: readonly SeedFigure[] = [
  ...CUDA_GRAPH.map(([batch, , graph]) =>
    predicted(
      `004.our.step.${batch}`,
      'CUDA graphs',
      `a step of batch ${batch} with graph`,
      `${graph} ms`,
      () => 1e3 * model().decodeStepSeconds(CONTEXT, batch),
      NOTE,
    ),
  ),
  ...CHUNKS.map((chunk) =>
    predicted(
      `004.our.itl.${chunk}`,
      'chunked prefill',
      `ITL with chunks of ${chunk}, 128 decoding`,
      'lost',
      () => itl(chunk),
      `${NOTE} A prompt of 4096; "predict chunk" prints the curve.`,
      { unit: ' ms' },
    ),
  ),
  ...(
    [
      [0, 'prefill', 1],
      [1, 'decode', 1],
      [2, 'decode', 128],
    ] as const
  ).map(([at, phase, batch]) =>
    predicted(
      `004.our.int8.${at}`,
      'quantisation',
      `${BLOG_INT8[at][0]}: int8 speed-up`,
      BLOG_INT8[at][3],
      () => int8Speedup(phase, batch),
      NOTE,
    ),
  ),
];

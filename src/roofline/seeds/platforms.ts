import { figuresOf, type SeedFigure } from './figure.js';

const { beyond, simulated } = figuresOf('000');

/** GroqRack at ALCF: 9 nodes of 8 chips, 230 MB of SRAM each; Llama-2-7B in fp16. */
const CHIP_BYTES = 230e6;
const RACK_BYTES = 72 * CHIP_BYTES;
const LLAMA_2_7B_BYTES = 2 * 6.738e9;
const KV_TOKEN_BYTES = 2 * 32 * 4096 * 2;

const DRAWN = 'Only the figure’s caption is in our copy; there is no number to compare with.';

export const PLATFORM_FIGURES: readonly SeedFigure[] = [
  beyond(
    'W19.1',
    'throughout',
    'values, network conditions, error bars',
    'claimed, not printed',
    'The page holds the abstract and the captions: directions (GPUs win prefill, GroqRack wins TPOT at batch 1, GPUs win ' +
      'decode throughput when batched), no value to test. Batch sizes are in two captions, hardware other than A100 and ' +
      'GroqRack nowhere.',
  ),
  beyond('000.f1', 'Figure 1', 'all prompt tokens at once in prefill', 'drawn only', 'A diagram, not a measurement.'),
  beyond('000.f2', 'Figure 2', 'prefill, GroqRack batch 1, A100 batch 1 to 32', 'drawn only', DRAWN),
  beyond('000.f3', 'Figure 3', 'decode, GroqRack batch 1, A100 batch 1 to 32', 'drawn only', DRAWN),
  simulated('000.f4', 'Figure 4', 'request latency, one platform or both', 'drawn only', DRAWN),
  simulated('000.f5', 'Figure 5', 'where that latency goes', 'drawn only', DRAWN),
  beyond(
    '000.groq.chips',
    'abstract',
    'why batch 1: chips for the weights, of 72',
    'no batching',
    'Llama-2-7B in fp16 lives in SRAM of 230 MB a chip.',
    () => Math.ceil(LLAMA_2_7B_BYTES / CHIP_BYTES),
    ' chips',
  ),
  beyond(
    '000.groq.tokens',
    'abstract',
    'why batch 1: KV tokens beside them',
    'no batching',
    'One long sequence, or two of 2048 tokens.',
    () => Math.floor((RACK_BYTES - LLAMA_2_7B_BYTES) / KV_TOKEN_BYTES),
    ' tokens',
  ),
];

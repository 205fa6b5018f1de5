import { figuresOf, type SeedFigure } from './figure.js';
import { AZURE_MEDIANS } from './measured.js';

const { simulated, reproduced, wrong } = figuresOf('001');

const CHIP = 'LLMCompass with the authors’ H100 model, which is not published.';
const CLUSTER = 'Counts come from SplitwiseSim or Vidur over that chip model; costs above are computed from them.';

/** What a chip or cluster simulation must give; listed by name, not imitated by arithmetic. */
export const SPAD_SIMULATED: readonly SeedFigure[] = [
  simulated('001.f1', 'Figure 1', 'intensity of prefill and decode, BLOOM-176B', 'drawn only', CHIP),
  simulated('001.f2.2500', 'Figure 2', 'prefill latency at 2500 GB/s', '+8%', CHIP),
  simulated('001.f2.2000', 'Figure 2', 'prefill latency at 2 TB/s', '+17%', CHIP),
  simulated('001.f2.1500', 'Figure 2', 'prefill latency at 1.5 TB/s', '+32%', CHIP),
  simulated('001.f2.matmul', 'Figure 2', 'matmul latency from 4 to 2 TB/s', '+16%', CHIP),
  simulated('001.f3.108', 'Figure 3', 'decode latency with 108 cores', '+2%', CHIP),
  simulated('001.f3.66', 'Figure 3', 'decode latency with half the cores', '+22%', CHIP),
  simulated('001.f5', 'Figure 5', 'design space of the Prefill Chip', 'drawn only', CHIP),
  simulated('001.f6', 'Figure 6', 'design space of the Decode Chip', 'drawn only', CHIP),
  simulated('001.f7', 'Figure 7', 'latency over batch and length, both chips', 'drawn only', CHIP),
  simulated('001.f7.p.prefill', 'Table 3', 'Prefill Chip: prefill performance', '1.08', CHIP),
  simulated('001.f7.p.decode', 'Table 3', 'Prefill Chip: decode performance', '0.80', CHIP),
  simulated('001.f7.d.prefill', 'Table 3', 'Decode Chip: prefill performance', '0.69', CHIP),
  simulated('001.f7.d.decode', 'Table 3', 'Decode Chip: decode performance', '0.97', CHIP),
  simulated('001.f7.short', 'section 5.4', 'Prefill Chip slower at or below', '256 tokens', CHIP),
  simulated('001.f7.long', 'section 5.4', 'Prefill Chip slower at or above', '12,288 tokens', CHIP),
  simulated('001.f7.batch', 'section 5.4', 'Decode Chip slower at or above', '256 sequences', CHIP),
  simulated('001.t4.counts', 'Table 4', 'machine counts at 70 requests a second', '18P+7D, 8P+17D, ...', CLUSTER),
  simulated('001.t6.counts', 'Table 6', 'machine counts under three SLOs', '33, 36, 45, ...', CLUSTER),
  simulated('001.t7.rate', 'Table 7', 'requests a second after moving machines', '55, 60', CLUSTER),
  simulated('001.t7.moved', 'Table 7', 'machines moved to the other phase', '8P, 14D', CLUSTER),
  simulated('001.t8.rate', 'Table 8', 'requests a second with other models', '188, 171, 103, 183', CLUSTER),
  simulated('001.f9', 'Figures 9 and 14', 'grid of prefill and decode machines', 'drawn only', CLUSTER),
  simulated('001.f10', 'Figure 10', 'throughput against SLO after moving', 'drawn only', CLUSTER),
  simulated('001.f11', 'Figure 11', 'tensor and pipeline parallelism', 'drawn only', CHIP),
  simulated('001.f12', 'Figures 12 and 13', 'machine sweeps of the baselines', 'drawn only', CLUSTER),
  simulated('001.f15', 'Figure 15', 'bottlenecks at short, long and wide', 'drawn only', CHIP),
  reproduced(
    '001.coding.in',
    'section 6.3',
    'coding trace: median prompt',
    '1500 tokens',
    () => AZURE_MEDIANS.coding.prompt,
    'rounded in the paper',
    {
      decimals: -2,
    },
  ),
  reproduced(
    '001.coding.out',
    'section 6.3',
    'coding trace: median output',
    '13 tokens',
    () => AZURE_MEDIANS.coding.output,
  ),
  reproduced('001.conversation.in', 'section 6.3', 'conversation trace: median prompt', '1020 tokens', () => {
    return AZURE_MEDIANS.conversation.prompt;
  }),
  reproduced('001.conversation.out', 'section 6.3', 'conversation trace: median output', '129 tokens', () => {
    return AZURE_MEDIANS.conversation.output;
  }),
  wrong(
    'W19.2',
    'section 6.3',
    'day of November 2023 of the traces it uses',
    '11 (as documented)',
    () => new Date(AZURE_MEDIANS.firstTimestamp).getUTCDate(),
    'The timestamps in both files are of the 16th.',
  ),
];

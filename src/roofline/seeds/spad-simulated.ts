import type { SeedFigure } from './figure.js';
import { AZURE_MEDIANS } from './measured.js';
import { figuresOf } from './short-forms.js';

const { simulated, reproduced } = figuresOf('001');

const AREA = 'Latency against die area: needs the authors’ area model, which is not published for these chips.';
const CLUSTER = 'Counts come from SplitwiseSim or Vidur over that chip model; costs above are computed from them.';

/** What a cluster simulation must give; listed by name, not imitated by arithmetic. Chips alone are predicted. */
export const SPAD_SIMULATED: readonly SeedFigure[] = [
  simulated('001.f5', 'Figure 5', 'design space of the Prefill Chip', 'drawn only', AREA),
  simulated('001.f6', 'Figure 6', 'design space of the Decode Chip', 'drawn only', AREA),
  simulated('001.t4.counts', 'Table 4', 'machine counts at 70 requests a second', '18P+7D, 8P+17D, ...', CLUSTER),
  simulated('001.t6.counts', 'Table 6', 'machine counts under three SLOs', '33, 36, 45, ...', CLUSTER),
  simulated('001.t7.rate', 'Table 7', 'requests a second after moving machines', '55, 60', CLUSTER),
  simulated('001.t7.moved', 'Table 7', 'machines moved to the other phase', '8P, 14D', CLUSTER),
  simulated('001.t8.rate', 'Table 8', 'requests a second with other models', '188, 171, 103, 183', CLUSTER),
  simulated('001.f9', 'Figures 9 and 14', 'grid of prefill and decode machines', 'drawn only', CLUSTER),
  simulated('001.f10', 'Figure 10', 'throughput against SLO after moving', 'drawn only', CLUSTER),
  simulated('001.f12', 'Figures 12 and 13', 'machine sweeps of the baselines', 'drawn only', CLUSTER),
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
];

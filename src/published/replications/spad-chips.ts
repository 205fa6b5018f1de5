import { NO_LAUNCHES } from '../../simulator/price/llmcompass/price.js';
import { intensities } from '../seeds/spad-predicted.js';
import { ChipFigures, compassClock, predictedClock, type ChipClock } from '../spad/chip-figures.js';
import type { ReplicatedFigure, Replication } from './replication.js';

interface Statement {
  readonly figure: string;
  readonly published: string;
  readonly ours: (chips: ChipFigures) => number | undefined;
  /** Whether ours says the same: by default that it is on the same side of `even`. */
  readonly holds?: (ours: number | undefined) => boolean;
  /** What neither a rise nor a fall is; 0 for percent, 1 for ratios. */
  readonly even: number;
}

const STATEMENTS: readonly Statement[] = [
  { figure: 'Fig. 2: prefill at 2.5 TB/s, %', published: '8', ours: (chips) => chips.prefillRise(2500), even: 0 },
  { figure: 'Fig. 2: prefill at 2 TB/s, %', published: '17', ours: (chips) => chips.prefillRise(2000), even: 0 },
  { figure: 'Fig. 2: prefill at 1.5 TB/s, %', published: '32', ours: (chips) => chips.prefillRise(1500), even: 0 },
  { figure: 'Fig. 2: matmul from 4 to 2 TB/s, %', published: '16', ours: (chips) => chips.productRise(), even: 0 },
  { figure: 'Fig. 3: decode on 108 cores, %', published: '2', ours: (chips) => chips.decodeRise(108), even: 0 },
  { figure: 'Fig. 3: decode on 66 cores, %', published: '22', ours: (chips) => chips.decodeRise(66), even: 0 },
  ...(
    [
      ['spad-prefill', 'prefill', 'Prefill Chip, prefill', '1.08'],
      ['spad-prefill', 'decode', 'Prefill Chip, decode', '0.80'],
      ['spad-decode', 'prefill', 'Decode Chip, prefill', '0.69'],
      ['spad-decode', 'decode', 'Decode Chip, decode', '0.97'],
    ] as const
  ).map(([id, phase, what, published]): Statement => {
    return { figure: `Table 3: ${what}, x H100`, published, ours: (chips) => chips.performance(id, phase), even: 1 };
  }),
  {
    figure: 'Fig. 7: Prefill Chip slower up to, tokens',
    published: '256',
    ours: (chips) => chips.slowerUpTo(),
    holds: (ours) => ours! > 0,
    even: 0,
  },
  {
    figure: 'Fig. 7: and again from, tokens',
    published: '12288',
    ours: (chips) => chips.slowerFrom(),
    holds: (ours) => ours !== undefined,
    even: 0,
  },
  {
    figure: 'Fig. 7: Decode Chip slower by 5 % from batch',
    published: '256',
    ours: (chips) => chips.slowerFromBatch(),
    holds: (ours) => ours !== undefined,
    even: 0,
  },
];

const CLOCKS: readonly (readonly [name: string, make: () => ChipClock, why: string])[] = [
  [
    'predict',
    predictedClock,
    "predict: efficiencies fitted to an H100's measured layers, attention fused, so that long prompts never go through memory",
  ],
  [
    'llmcompass',
    () => compassClock(),
    "llmcompass: LLMCompass's manner with its launches on an A100, 19 ms a step, which nothing scales with; SPAD's own parameters of the H100 are not published, and nothing is fitted to these figures",
  ],
  [
    'llmcompass, no launches',
    () => compassClock(NO_LAUNCHES),
    'llmcompass, no launches: the same as if launches were free',
  ],
];

export const spadChips: Replication = {
  name: 'spad-chips',
  about: "SPAD's figures of chips: BLOOM-176B on eight, by predict and by an operator model in LLMCompass's manner",
  files: [],
  async run({ turn }) {
    const figures: ReplicatedFigure[] = [];
    for (const [name, make, why] of CLOCKS) {
      await turn();
      const chips = new ChipFigures(make());
      for (const { figure, published, ours, holds, even } of STATEMENTS) {
        const value = ours(chips);
        const same = (): boolean => Math.sign(value! - even) === Math.sign(Number(published) - even);
        figures.push({
          figure: `${name}: ${figure}`,
          published,
          ours: value ?? 'never',
          class: 'shape',
          holds: holds === undefined ? same() : holds(value),
          why,
        });
      }
    }
    const [prefill, decode] = intensities();
    return [
      ...figures,
      {
        figure: 'Fig. 1: intensity of prefill and of decode, FLOP/byte',
        published: 'drawn only',
        ours: `${prefill.toFixed(0)} and ${decode.toFixed(1)}`,
        class: 'shape',
        holds: prefill > 295 && decode < 295,
        why: "held is that they lie on different sides of an H100's ridge of 295",
      },
    ];
  },
};

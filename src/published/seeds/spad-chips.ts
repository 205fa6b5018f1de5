import {
  costOf,
  diesPerWafer,
  h100DieWatts,
  H100_WATTS,
  PCAP_WATTS,
  SPAD_ASSUMPTIONS,
  SPAD_CHIPS,
} from '../../roofline/predict/spad.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';
import { bloomTokens, busBandwidth, cacheMB, SPAD_SPECS, tensorFlops, vectorFlops } from './spad-specs.js';

const { reproduced, consistent, beyond } = figuresOf('001');
const GiB = 2 ** 30;
const { gddr7, hbm3 } = SPAD_ASSUMPTIONS.dollarsPerGB;

/** Columns of Table 3: tensor PFLOPS, vector TFLOPS, cache, memory, die, memory and total cost, TDP. */
const TABLE_3 = {
  prefill: ['1.92', '32.4', '73', '64', '$301', '$192', '0.48', '596'],
  decode: ['0.54', '18.2', '48', '80', '$187', '$720', '0.88', '507'],
  h100: ['0.99', '66.9', '84', '80', '$315', '$720', '1', '700'],
} as const;
type Chip = keyof typeof TABLE_3;

const NAMES: Record<Chip, string> = { prefill: 'Prefill Chip', decode: 'Decode Chip', h100: 'H100' };

function table3(chip: Chip): SeedFigure[] {
  const [tensor, vector, cache, memory, dieDollars, memoryDollars, total, watts] = TABLE_3[chip];
  const spec = SPAD_SPECS[chip];
  const cost = () => costOf(SPAD_CHIPS[chip]);
  /** Products and sums of other rows. */
  const row = (id: string, what: string, published: string, ours: () => number, explanation?: string) =>
    consistent(`001.t3.${chip}.${id}`, 'Table 3', `${NAMES[chip]}: ${what}`, published, ours, explanation);
  /** By a formula; the H100’s TDP is what the formula starts from. */
  const derived = chip === 'h100' ? consistent : reproduced;
  return [
    row('tensor', 'FP16 tensor rate', `${tensor} PFLOPS`, () => tensorFlops(spec) / 1e15),
    row('vector', 'FP32 vector rate', `${vector} TFLOPS`, () => vectorFlops(spec) / 1e12),
    row('cache', 'L1 and L2', `${cache} MB`, () => cacheMB(spec), 'with 1000 KB to the MB, as vendors count'),
    row('memory', 'memory', `${memory} GB`, () => spec.packages * spec.packageGB),
    reproduced(`001.t3.${chip}.die`, 'Table 3', `${NAMES[chip]}: die cost`, dieDollars, () => cost().dieDollars),
    row('memory-cost', 'memory cost', memoryDollars, () => cost().memoryDollars),
    row('cost', 'cost over an H100', total, () => cost().relativeDollars),
    derived(`001.t3.${chip}.tdp`, 'Table 3', `${NAMES[chip]}: TDP`, `${watts} W`, () => cost().watts),
  ];
}

/** Table 9: dollars a GB, then HBM, Decode Chip and H100. */
const TABLE_9 = [
  [6, '$480', '$667', '$795'],
  [9, '$720', '$907', '$1035'],
  [12, '$960', '$1147', '$1275'],
] as const;

function table9([price, memory, decode, h100]: (typeof TABLE_9)[number]): SeedFigure[] {
  const at = (chip: Chip) => costOf(SPAD_CHIPS[chip], { hbm3: price });
  const row = (id: string, what: string, published: string, ours: () => number) =>
    consistent(`001.t9.${price}.${id}`, 'Table 9', `${what} at $${price} a GB`, published, ours);
  return [
    row('hbm', 'HBM', memory, () => at('h100').memoryDollars),
    row('decode', 'Decode Chip', decode, () => at('decode').dollars),
    row('h100', 'H100', h100, () => at('h100').dollars),
  ];
}

const less = (part: number, whole: number) => 100 * (1 - part / whole);

export const SPAD_CHIP_FIGURES: readonly SeedFigure[] = [
  reproduced('001.t2.lpddr', 'Table 2', 'LPDDR5X, 128 bits of 7.5 Gb/s', '120 GB/s', () => busBandwidth(128, 7.5)),
  reproduced('001.t2.gddr', 'Table 2', 'GDDR7, 512 bits of 28 Gb/s', '1792 GB/s', () => busBandwidth(512, 28)),
  consistent('001.t2.hbm', 'Table 2', 'HBM at three times GDDR7', '$9/GB', () => 3 * gddr7),
  ...(['prefill', 'decode', 'h100'] as const).flatMap(table3),
  consistent('001.t3.prefill.bandwidth', 'Table 3', 'Prefill Chip: bandwidth', '2048 GB/s', () => {
    const { busBits, gigabitsPerPin } = SPAD_SPECS.prefill;
    return busBandwidth(busBits, gigabitsPerPin);
  }),
  consistent(
    'W16.1',
    'Table 3',
    'H100 and Decode Chip: pin speed behind 3352 GB/s',
    '5.2 Gb/s',
    () => (SPAD_CHIPS.h100.bandwidthGBs * 8) / SPAD_SPECS.h100.busBits,
    '5.2375, rounded: 5120 bits at a flat 5.2 would be 3328 GB/s.',
  ),
  ...TABLE_9.flatMap(table9),
  consistent('001.cores', 'section 2.2', 'tensor cores of an H100', '528', () => {
    return SPAD_SPECS.h100.cores * SPAD_SPECS.h100.lanes;
  }),
  consistent('001.wafer', 'section 6.1', 'H100 die without memory', '480 W', h100DieWatts),
  consistent('001.hbm.low', 'section 6.1', 'HBM at twice GDDR', '$6/GB', () => 2 * gddr7),
  consistent('001.hbm.high', 'section 6.1', 'HBM at four times GDDR', '$12/GB', () => 4 * gddr7),
  consistent('001.price', 'section 5.2', 'HBM over GDDR7, a GB', '3×', () => hbm3 / gddr7),
  consistent('001.p.cost', 'abstract', 'Prefill Chip: hardware cost saved', '52%', () => {
    return 100 * (1 - costOf(SPAD_CHIPS.prefill).relativeDollars);
  }),
  consistent('001.d.tdp', 'abstract', 'Decode Chip: TDP saved', '28%', () => {
    return less(Math.round(costOf(SPAD_CHIPS.decode).watts), H100_WATTS);
  }),
  consistent('001.d.area', 'section 5.4', 'Decode Chip: die area saved', '36%', () => {
    return less(SPAD_CHIPS.decode.dieMm2, SPAD_CHIPS.h100.dieMm2);
  }),
  consistent('001.d.l1', 'section 5.3', 'Decode Chip: L1 a core saved', '50%', () => {
    return less(SPAD_SPECS.decode.l1KBPerCore, SPAD_SPECS.h100.l1KBPerCore);
  }),
  consistent('001.d.l2', 'section 5.3', 'Decode Chip: L2 saved', '40%', () => {
    return less(SPAD_SPECS.decode.l2MB, SPAD_SPECS.h100.l2MB);
  }),
  consistent('001.f2.bandwidth', 'section 3', '2500 GB/s over the H100’s', '0.75×', () => {
    return 2500 / SPAD_CHIPS.h100.bandwidthGBs;
  }),
  consistent('001.f2.cut', 'section 1', 'bandwidth cut from the H100’s to 2 TB/s', '40%', () => {
    return less(2000, SPAD_CHIPS.h100.bandwidthGBs);
  }),
  consistent(
    '001.f3.cut',
    'section 3',
    'cores cut from 132 to 108',
    '20%',
    () => less(108, 132),
    'printed as nearly 20%',
    {
      decimals: -1,
    },
  ),
  consistent('001.pcap.tdp', 'footnote 1', 'power-capped H100', '450 W', () => PCAP_WATTS),
  reproduced('001.pcap.flops', 'footnote 1', 'H100 PCIe over H100 tensor rate', '76%', () => {
    return (100 * 756e12) / tensorFlops(SPAD_SPECS.h100);
  }),
  reproduced(
    'W16.4',
    'section B.1',
    'KV tokens of BLOOM-176B on 8 Prefill Chips',
    '35 thousand',
    () => bloomTokens(64 * GiB) / 1e3,
    'Only with capacities in GiB and 352 GB of weights; decimal GB, as the tables have, gives 27 thousand.',
    { truncated: true },
  ),
  reproduced(
    'W16.5',
    'section B.1',
    'KV tokens of BLOOM-176B on 8 H100s',
    '66 thousand',
    () => bloomTokens(80 * GiB) / 1e3,
    'As above; decimal GB gives 56 thousand.',
  ),
  beyond(
    '001.area',
    'Table 3',
    'die areas of the two chips',
    '784 and 520 mm²',
    'From the authors’ own version of LLMCompass’ area model and annotated die photographs; taken as inputs here.',
  ),
  beyond(
    '001.dies',
    'section 6.1',
    'H100 dies on a wafer',
    'not printed',
    'Not a whole number: the paper’s dollars come out only without rounding it, and without yield.',
    () => diesPerWafer(SPAD_CHIPS.h100.dieMm2),
    ' dies',
  ),
  beyond(
    '001.beachfront',
    'Table 2',
    'bandwidth for each mm of die edge',
    '8, 22 and 68 GB/s/mm',
    'Measured by the authors on die photographs.',
  ),
  beyond(
    '001.chatgpt',
    'section 1',
    'an hour of each of 30,000 A100s at $700,000 a day',
    'not printed',
    'A quoted estimate; worked back, it is about what an A100 was rented for.',
    () => 700_000 / 24 / 30_000,
    ' dollars',
  ),
];

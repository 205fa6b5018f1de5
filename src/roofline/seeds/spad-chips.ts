import { costOf, diesPerWafer, h100DieWatts, H100_WATTS, PCAP_WATTS, SPAD_ASSUMPTIONS, SPAD_CHIPS } from '../spad.js';
import { figuresOf, type SeedFigure } from './figure.js';
import { bloomTokens, busBandwidth, cacheMB, cacheMiB, SPAD_SPECS, tensorFlops, vectorFlops } from './spad-specs.js';

const { reproduced, wrong, beyond } = figuresOf('001');
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
  const row = (id: string, what: string, published: string, ours: () => number) =>
    reproduced(`001.t3.${chip}.${id}`, 'Table 3', `${NAMES[chip]}: ${what}`, published, ours);
  return [
    row('tensor', 'FP16 tensor rate', `${tensor} PFLOPS`, () => tensorFlops(spec) / 1e15),
    row('vector', 'FP32 vector rate', `${vector} TFLOPS`, () => vectorFlops(spec) / 1e12),
    row('cache', 'L1 and L2', `${cache} MB`, () => cacheMB(spec)),
    row('memory', 'memory', `${memory} GB`, () => spec.packages * spec.packageGB),
    row('die', 'die cost', dieDollars, () => costOf(SPAD_CHIPS[chip]).dieDollars),
    row('memory-cost', 'memory cost', memoryDollars, () => costOf(SPAD_CHIPS[chip]).memoryDollars),
    row('cost', 'cost over an H100', total, () => costOf(SPAD_CHIPS[chip]).relativeDollars),
    row('tdp', 'TDP', `${watts} W`, () => costOf(SPAD_CHIPS[chip]).watts),
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
    reproduced(`001.t9.${price}.${id}`, 'Table 9', `${what} at $${price} a GB`, published, ours);
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
  reproduced('001.t2.hbm', 'Table 2', 'HBM at three times GDDR7', '$9/GB', () => 3 * gddr7),
  ...(['prefill', 'decode', 'h100'] as const).flatMap(table3),
  reproduced('001.t3.prefill.bandwidth', 'Table 3', 'Prefill Chip: bandwidth', '2048 GB/s', () => {
    const { busBits, gigabitsPerPin } = SPAD_SPECS.prefill;
    return busBandwidth(busBits, gigabitsPerPin);
  }),
  wrong(
    'W16.1',
    'Table 3',
    'bandwidth of 5120 bits at 5.2 Gb/s',
    '3352 GB/s',
    () => busBandwidth(SPAD_SPECS.h100.busBits, SPAD_SPECS.h100.gigabitsPerPin),
    'The rows above it in the table give 0.7% less; 3352 needs 5.2375 Gb/s.',
  ),
  wrong(
    'W16.2',
    'Table 3',
    'Prefill Chip: L1 and L2, 1024 KB to the MB',
    '73 MB',
    () => cacheMiB(SPAD_SPECS.prefill),
    'The table divides KB by 1000.',
  ),
  wrong(
    'W16.3',
    'Table 3',
    'H100: L1 and L2, 1024 KB to the MB',
    '84 MB',
    () => cacheMiB(SPAD_SPECS.h100),
    'As above. The Decode Chip’s 48 survives either way.',
  ),
  ...TABLE_9.flatMap(table9),
  reproduced('001.cores', 'section 2.2', 'tensor cores of an H100', '528', () => {
    return SPAD_SPECS.h100.cores * SPAD_SPECS.h100.lanes;
  }),
  reproduced('001.wafer', 'section 6.1', 'H100 die without memory', '480 W', h100DieWatts),
  reproduced('001.hbm.low', 'section 6.1', 'HBM at twice GDDR', '$6/GB', () => 2 * gddr7),
  reproduced('001.hbm.high', 'section 6.1', 'HBM at four times GDDR', '$12/GB', () => 4 * gddr7),
  reproduced('001.price', 'section 5.2', 'HBM over GDDR7, a GB', '3×', () => hbm3 / gddr7),
  reproduced('001.p.cost', 'abstract', 'Prefill Chip: hardware cost saved', '52%', () => {
    return 100 * (1 - costOf(SPAD_CHIPS.prefill).relativeDollars);
  }),
  reproduced('001.d.tdp', 'abstract', 'Decode Chip: TDP saved', '28%', () => {
    return less(Math.round(costOf(SPAD_CHIPS.decode).watts), H100_WATTS);
  }),
  reproduced('001.d.area', 'section 5.4', 'Decode Chip: die area saved', '36%', () => {
    return less(SPAD_CHIPS.decode.dieMm2, SPAD_CHIPS.h100.dieMm2);
  }),
  reproduced('001.d.l1', 'section 5.3', 'Decode Chip: L1 a core saved', '50%', () => {
    return less(SPAD_SPECS.decode.l1KBPerCore, SPAD_SPECS.h100.l1KBPerCore);
  }),
  reproduced('001.d.l2', 'section 5.3', 'Decode Chip: L2 saved', '40%', () => {
    return less(SPAD_SPECS.decode.l2MB, SPAD_SPECS.h100.l2MB);
  }),
  reproduced('001.f2.bandwidth', 'section 3', '2500 GB/s over the H100’s', '0.75×', () => {
    return 2500 / SPAD_CHIPS.h100.bandwidthGBs;
  }),
  reproduced('001.f2.cut', 'section 1', 'bandwidth cut from the H100’s to 2 TB/s', '40%', () => {
    return less(2000, SPAD_CHIPS.h100.bandwidthGBs);
  }),
  reproduced(
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
  reproduced('001.pcap.tdp', 'footnote 1', 'power-capped H100', '450 W', () => PCAP_WATTS),
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

import { clusterCost, savings, type SpadMachineCounts } from '../../roofline/predict/spad.js';
import type { SeedFigure } from './figure.js';
import { figuresOf } from './short-forms.js';

const { reproduced, consistent, wrong } = figuresOf('001');

/** Table 4: workload, system, machines, cost, TDP. */
const TABLE_4: readonly (readonly [string, string, SpadMachineCounts, string, string])[] = [
  ['coding', 'Sarathi', { h100: 36 }, '36', '36'],
  ['coding', 'Splitwise-homo', { h100: 25 }, '25', '25'],
  ['coding', 'Splitwise-hetero', { h100: 21, a100: 9 }, '25.5', '25.5'],
  ['coding', 'Splitwise-pcap', { h100: 21, pcap: 4 }, '25', '23.6'],
  ['coding', 'SPAD', { prefill: 18, decode: 7 }, '14.7', '20.4'],
  ['conversation', 'Sarathi', { h100: 34 }, '34', '34'],
  ['conversation', 'Splitwise-homo', { h100: 23 }, '23', '23'],
  ['conversation', 'Splitwise-hetero', { h100: 13, a100: 32 }, '29', '29'],
  ['conversation', 'Splitwise-pcap', { h100: 6, pcap: 21 }, '27', '19.5'],
  ['conversation', 'SPAD', { prefill: 8, decode: 17 }, '18.7', '19.1'],
];

export interface Saving {
  readonly table: 6 | 7 | 8;
  readonly what: string;
  readonly spad: SpadMachineCounts;
  readonly baseline: SpadMachineCounts;
  readonly cost: string;
  readonly tdp: string;
}

const coding = { prefill: 18, decode: 7 };
const conversation = { prefill: 8, decode: 17 };

type Row = readonly [Saving['table'], string, SpadMachineCounts, SpadMachineCounts, string, string];
/** Against the Pareto-optimal baseline of each column; conversation has two, all H100 and power-capped. */
const ROWS: readonly Row[] = [
  [6, 'coding, loose', { prefill: 18, decode: 6 }, { h100: 19, pcap: 5 }, '42%', '11%'],
  [6, 'coding, normal', coding, { h100: 21, pcap: 4 }, '41%', '13%'],
  [6, 'coding, tight', { prefill: 21, decode: 7 }, { h100: 23, pcap: 4 }, '40%', '10%'],
  [6, 'conversation, loose, H100', conversation, { h100: 22 }, '15%', '13%'],
  [6, 'conversation, loose, pcap', conversation, { h100: 3, pcap: 23 }, '28%', '-8%'],
  [6, 'conversation, normal, H100', conversation, { h100: 23 }, '19%', '17%'],
  [6, 'conversation, normal, pcap', conversation, { h100: 6, pcap: 21 }, '31%', '2%'],
  [6, 'conversation, tight, H100', { prefill: 13, decode: 14 }, { h100: 27 }, '32%', '21%'],
  [6, 'conversation, tight, pcap', { prefill: 13, decode: 14 }, { h100: 11, pcap: 23 }, '46%', '18%'],
  [7, '18P+7D moved to conversation', coding, { h100: 19 }, '23%', '-7%'],
  [7, '8P+17D moved to coding', conversation, { h100: 21 }, '11%', '9%'],
  [8, '18P+7D, Llama3-70B', coding, { h100: 26 }, '43%', '22%'],
  [8, '8P+17D, Llama3-70B', conversation, { h100: 27 }, '31%', '29%'],
  [8, '18P+7D, DeepSeek-V2', coding, { h100: 23 }, '36%', '11%'],
  [8, '8P+17D, DeepSeek-V2', conversation, { h100: 24 }, '22%', '20%'],
];
export const SPAD_SAVINGS = ROWS.map(([table, what, spad, baseline, cost, tdp]): Saving => ({
  table,
  what,
  spad,
  baseline,
  cost,
  tdp,
}));

/** The three comparisons of Table 4 and the abstract: normal SLOs at 70 requests a second. */
export const TABLE_4_SAVINGS = SPAD_SAVINGS.filter(({ what }) => what.includes('normal'));

const values = (of: readonly Saving[], column: 'cost' | 'tdp') =>
  of.map(({ spad, baseline }) => savings(spad, baseline)[column]);
const least = (of: readonly Saving[], column: 'cost' | 'tdp') => () => Math.min(...values(of, column));
const most = (of: readonly Saving[], column: 'cost' | 'tdp') => () => Math.max(...values(of, column));

const moved = SPAD_SAVINGS.filter(({ table }) => table !== 6);
const models = SPAD_SAVINGS.filter(({ table }) => table === 8);

export const SPAD_CLUSTER_FIGURES: readonly SeedFigure[] = [
  ...TABLE_4.flatMap(([workload, system, counts, cost, tdp]) => {
    const id = `001.t4.${workload}.${system.toLowerCase()}`;
    const what = `${system}, ${workload}`;
    // Machines of H100s, and shares of them that the paper states, only have to be added up.
    const derived = system === 'SPAD' ? reproduced : consistent;
    return [
      derived(`${id}.cost`, 'Table 4', `${what}: cost`, cost, () => clusterCost(counts).cost),
      derived(`${id}.tdp`, 'Table 4', `${what}: TDP`, tdp, () => clusterCost(counts).tdp),
    ];
  }),
  ...SPAD_SAVINGS.flatMap(({ table, what, spad, baseline, cost, tdp }) => {
    const id = `001.t${table}.${what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    return [
      reproduced(`${id}.cost`, `Table ${table}`, `${what}: cost saved`, cost, () => savings(spad, baseline).cost),
      reproduced(`${id}.tdp`, `Table ${table}`, `${what}: TDP saved`, tdp, () => savings(spad, baseline).tdp),
    ];
  }),
  consistent('001.abstract.cost.least', 'abstract', 'cost saved, least', '19%', least(TABLE_4_SAVINGS, 'cost')),
  consistent('001.abstract.cost.most', 'abstract', 'cost saved, most', '41%', most(TABLE_4_SAVINGS, 'cost')),
  consistent('001.abstract.tdp.least', 'abstract', 'TDP saved, least, Table 4', '2%', least(TABLE_4_SAVINGS, 'tdp')),
  consistent('001.abstract.tdp.most', 'abstract', 'TDP saved, most, Table 4', '17%', most(TABLE_4_SAVINGS, 'tdp')),
  consistent('001.abstract.moved.least', 'abstract', 'cost saved after moving, least', '11%', least(moved, 'cost')),
  consistent('001.abstract.moved.most', 'abstract', 'cost saved after moving, most', '43%', most(moved, 'cost')),
  consistent('001.models.cost.least', 'section 7.2', 'cost saved, other models, least', '22%', least(models, 'cost')),
  consistent('001.models.cost.most', 'section 7.2', 'cost saved, other models, most', '43%', most(models, 'cost')),
  consistent('001.models.tdp.least', 'section 7.2', 'TDP saved, other models, least', '11%', least(models, 'tdp')),
  consistent('001.models.tdp.most', 'section 7.2', 'TDP saved, other models, most', '29%', most(models, 'tdp')),
  wrong(
    'W17.1',
    'abstract',
    'TDP saved, least, over the three SLOs of Table 6',
    '2%',
    least(
      SPAD_SAVINGS.filter(({ table }) => table === 6),
      'tdp',
    ),
    'The abstract’s 2%–17% is Table 4, normal SLOs, alone. With loose SLOs SPAD draws more than its baseline, with tight ' +
      'ones it saves up to 21%; what changes with models and moved machines the abstract keeps apart.',
  ),
  consistent(
    'W17.3',
    'section 7.1',
    'machines for coding, SPAD and Splitwise-homo',
    '25',
    () => clusterCost(coding).machines,
    'So all 41% saved are the price of a machine, as section 6.1 has it; for conversation SPAD needs 2 more.',
  ),
];

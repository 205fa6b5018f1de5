import { memoryOf } from '../../roofline/hardware/memory.js';
import type { SpadMachine } from '../../roofline/predict/spad.js';
import type { Predictor } from '../../roofline/predict/predictor.js';
import { resampled } from '../../simulator/load.js';
import { highestGood } from '../../simulator/search.js';
import { parseSlo } from '../../simulator/slo.js';
import { trial } from '../../simulator/trial.js';
import { parseTrace } from '../../traffic/azure.js';
import { predictorOf, type SeedModel } from '../seeds/subjects.js';
import { aloneOnH100, clusterOf, HARDWARE, poolOf, type PredictorOn } from '../spad/systems.js';
import type { ReplicatedFigure, Replication, ReplicationTools } from './replication.js';

const TRACES = {
  coding: 'traces/AzureLLMInferenceTrace_code.csv',
  conversation: 'traces/AzureLLMInferenceTrace_conv.csv',
} as const;
const SECONDS = 60;

/** A cluster made for one workload and BLOOM-176B, under another workload or model, with machines moved to the other phase. */
interface Case {
  readonly model: SeedModel;
  readonly workload: keyof typeof TRACES;
  readonly prefill: number;
  readonly decode: number;
  readonly rate: string;
  readonly baseline: string;
  /** Machines moved, those that are tried; positive from prompts to decoding. */
  readonly moved: readonly number[];
  /** Machines moved as published, where a number is. */
  readonly published?: string;
  /** Its weights leave no room in nine tenths of a Prefill Chip's memory, so all of it is taken. */
  readonly full?: true;
}

/** What each number of machines moved serves, and the place of the best. */
interface CaseRates {
  readonly rates: readonly number[];
  readonly best: number;
}

const on =
  (model: SeedModel): PredictorOn =>
  (machine: SpadMachine): Predictor =>
    predictorOf(model, HARDWARE[machine], { tensorParallel: 8 });

/** Tokens of cache where weights and cache take all of a machine's memory. */
function wholeMemory(predictor: Predictor): number {
  const { weightBytes, kvBytesPerToken } = memoryOf(predictor, 1, 1);
  return Math.floor((predictor.hardware.capacityBytes * predictor.chips - weightBytes) / kvBytesPerToken);
}

/** The highest rate within the SLO for each number of machines moved. */
async function ratesOf(
  { model, workload, prefill, decode, moved, full }: Case,
  slo: string,
  { read, turn }: ReplicationTools,
): Promise<CaseRates> {
  const predictor = on(model);
  const tokens = (machine: SpadMachine): number | undefined => (full ? wholeMemory(predictor(machine)) : undefined);
  const lengths = parseTrace(read(TRACES[workload]), TRACES[workload]);
  const goal = { slo: parseSlo(slo), alone: aloneOnH100(predictor, tokens('h100')) };
  const rates: number[] = [];
  for (const count of moved) {
    const [toDecode, toPrefill] = [Math.max(0, count), Math.max(0, -count)];
    const pool = (machine: 'prefill' | 'decode', role: 'prefill' | 'decode', machines: number) =>
      poolOf(predictor, role, machine, machines, tokens(machine));
    const pools = [
      pool('prefill', 'prefill', prefill - toDecode),
      { ...pool('decode', 'prefill', toPrefill), name: 'decode moved' },
      pool('decode', 'decode', decode - toPrefill),
      { ...pool('prefill', 'decode', toDecode), name: 'prefill moved' },
    ].filter(({ count: machines }) => machines > 0);
    const found = await highestGood(LOWEST, 0.05, async (rate) => {
      const requests = resampled(lengths, { rate, seconds: SECONDS, seed: 0 });
      return (await trial(clusterOf(predictor, pools), requests, goal, { turn })).met;
    });
    rates.push(found ?? 0);
  }
  return { rates, best: rates.indexOf(Math.max(...rates)) };
}

const WHY = `moved by hand to the counts shown in brackets, the best counts; ${SECONDS} s of load, normal SLO; held is that moving serves more`;

const nameOf = ({ model, prefill, decode, workload }: Case): string =>
  `${model}, ${prefill}P+${decode}D on ${workload}`;

function figuresOf(each: Case, { rates, best }: CaseRates): ReplicatedFigure[] {
  const gains = each.published !== undefined;
  return [
    {
      figure: `${nameOf(each)}: requests/s after moving`,
      published: each.rate,
      ours: rates[best],
      ...(gains
        ? { class: 'shape', holds: rates[best] > rates[0], why: WHY }
        : { class: 'not replicable', why: each.full ? FULL : OTHER }),
    },
    {
      figure: `the same: requests/s by machines moved (${each.moved.map(shownMove).join(', ')})`,
      published: gains ? `${each.published} moved` : 'not printed',
      ours: rates.map(shownRate).join(' / '),
      class: 'not replicable',
      why: `published are ${each.baseline} H100 machines that serve as much, of a chip model that is not published`,
    },
  ];
}

const LOWEST = 10;
const shownRate = (rate: number): string => (rate === 0 ? `below ${LOWEST}` : rate.toFixed(0));
const shownMove = (moved: number): string => (moved === 0 ? '0' : `${Math.abs(moved)}${moved > 0 ? 'P' : 'D'}`);
const OTHER = 'how many machines were moved is not printed; of those tried the best count';
const FULL = `${OTHER}; 236 billion parameters in f16 leave no room in nine tenths of a Prefill Chip machine's memory, so weights and cache have all of it`;

const TABLE_7: readonly Case[] = [
  {
    model: 'bloom-176b',
    workload: 'conversation',
    prefill: 18,
    decode: 7,
    rate: '55',
    baseline: '19',
    moved: [0, 4, 8, 11],
    published: '8',
  },
  {
    model: 'bloom-176b',
    workload: 'coding',
    prefill: 8,
    decode: 17,
    rate: '60',
    baseline: '21',
    moved: [0, -7, -14],
    published: '14',
  },
];

export const spadReallocate: Replication = {
  name: 'spad-reallocate',
  about: "SPAD's Table 7: clusters made for one workload under the other, machines moved between the phases",
  files: Object.values(TRACES),
  long: true,
  async run(tools) {
    const figures: ReplicatedFigure[] = [];
    for (const each of TABLE_7) {
      const found = await ratesOf(each, 'spad:normal', tools);
      figures.push(...figuresOf(each, found));
      const moved = [each.moved[found.best]];
      const [loose] = (await ratesOf({ ...each, moved }, 'spad:loose', tools)).rates;
      const [tight] = (await ratesOf({ ...each, moved }, 'spad:tight', tools)).rates;
      figures.push({
        figure: `the same, Fig. 10: requests/s within the loose, normal and tight SLO, ${shownMove(moved[0])} moved`,
        published: 'drawn only',
        ours: [loose, found.rates[found.best], tight].map(shownRate).join(' / '),
        class: 'shape',
        holds: loose >= found.rates[found.best] && found.rates[found.best] >= tight,
        why: 'held is that a tighter SLO is met by fewer',
      });
    }
    return figures;
  },
};

const [FOR_CODING, FOR_CONVERSATION] = [
  { workload: 'coding', prefill: 18, decode: 7 },
  { workload: 'conversation', prefill: 8, decode: 17 },
] as const;
const TABLE_8: readonly Case[] = [
  { model: 'llama-3.1-70b', ...FOR_CODING, rate: '188', baseline: '26', moved: [0, -2, -4] },
  { model: 'llama-3.1-70b', ...FOR_CONVERSATION, rate: '171', baseline: '27', moved: [0, -6, -9] },
  { model: 'deepseek-v2', ...FOR_CODING, rate: '103', baseline: '23', moved: [0, -3, 3], full: true },
  { model: 'deepseek-v2', ...FOR_CONVERSATION, rate: '183', baseline: '24', moved: [0, 2, 4], full: true },
];

export const spadModels: Replication = {
  name: 'spad-models',
  about: "SPAD's Table 8: the clusters made for BLOOM-176B with other models",
  files: Object.values(TRACES),
  long: true,
  async run(tools) {
    const figures: ReplicatedFigure[] = [];
    for (const each of TABLE_8) figures.push(...figuresOf(each, await ratesOf(each, 'spad:normal', tools)));
    return figures;
  },
};

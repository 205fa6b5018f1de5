import { hardwareById } from '../../roofline/hardware/catalogue.js';
import { POLICIES } from '../../scheduler/policies/index.js';
import type { Cluster } from '../../simulator/cluster.js';
import { machinePool, transferOf } from '../../simulator/machine-pool.js';
import { simulate } from '../../simulator/simulation.js';
import type { Simulation } from '../../simulator/outcome.js';
import { sumsOf, WorkOf } from '../../simulator/work.js';
import { predictorOf } from '../seeds/subjects.js';
import { syntheticLoad } from './load.js';
import type { ReplicatedFigure, Replication } from './replication.js';

/** The load stated, since the page states none: Azure's conversations to Llama-3.1-8B. */
const RATE = 12;
const SECONDS = 240;
const on = (hardware: string) => predictorOf('llama-3.1-8b', hardware);
const router = { prefill: 'least-tokens', decode: 'least-kv' } as const;
const LINK = 50e9;

const unified = (): Cluster => ({
  router,
  pools: [machinePool(on('h100-sxm'), { name: 'h100', role: 'both', count: 2, maxSequences: 64 })],
});

const apart = (decode: string): Cluster => ({
  router,
  transfer: transferOf(on('h100-sxm'), { latency: 5e-5, mode: 'layerwise', overlap: 0.9, shared: true }),
  pools: [
    machinePool(on('h100-sxm'), {
      name: 'h100',
      role: 'prefill',
      count: 1,
      policy: POLICIES['prefill-first'],
      linkBytesPerSecond: LINK,
    }),
    machinePool(on(decode), { name: decode, role: 'decode', count: 2, maxSequences: 256, linkBytesPerSecond: LINK }),
  ],
});

interface Found {
  /** Share of the compute of all chips that is not used while their machines are busy. */
  readonly idle: number;
  /** Dollars a million tokens of the answers. */
  readonly dollars: number;
}

function found(cluster: Cluster): Found {
  const simulation: Simulation = simulate(cluster, syntheticLoad('conversation', RATE, SECONDS), { keepTokens: false });
  let [busy, used, dollarsAnHour] = [0, 0, 0];
  for (const { name, count } of cluster.pools) {
    const own = simulation.machines.filter(({ pool }) => pool === name);
    const hardware = name === 'h100' ? 'h100-sxm' : name;
    const { peak } = on(hardware).pricer;
    busy += own.reduce((sum, { busySeconds }) => sum + busySeconds, 0) * peak.rate;
    used += new WorkOf(on(hardware)).of(sumsOf(own)).flops;
    dollarsAnHour += count * hardwareById(hardware).pricePerHour!.value;
  }
  const tokens = simulation.traces.reduce((sum, { tokens: { count } }) => sum + count, 0);
  return { idle: 1 - used / busy, dollars: (dollarsAnHour * simulation.duration * 1e6) / 3600 / tokens };
}

export const newsCost: Replication = {
  name: 'news-cost',
  about: 'what splitting the phases is said to save (news on prefill and decode), at a load of our own',
  files: [],
  async run({ turn }) {
    const one = found(unified());
    const WHY = `Llama-3.1-8B, ${RATE} Azure-like conversations a second; 2 x H100 that do both, against 1 x H100 for prompts and 2 cards that decode, at the catalogue's hourly prices`;
    const figures: ReplicatedFigure[] = [
      {
        figure: 'compute idle while busy, unified, %',
        published: '60-70',
        ours: 100 * one.idle,
        class: 'shape',
        holds: one.idle > 0.6,
        why: `held is that most of it is idle; ${WHY}`,
      },
    ];
    for (const decode of ['l40s', 'a100-80']) {
      await turn();
      const two = found(apart(decode));
      figures.push(
        {
          figure: `idle compute less than unified, decode on ${decode}, %`,
          published: '80',
          ours: 100 * (1 - two.idle / one.idle),
          class: 'not replicable',
          why: 'what idles is decoding, wherever it happens; a card with less compute for its bandwidth idles less, by no means 80 %',
        },
        {
          figure: `dollars a million tokens, unified over decode on ${decode}, x`,
          published: '2-4',
          ours: one.dollars / two.dollars,
          class: 'not replicable',
          why: 'no setting is given; here machines cost whether they are busy or not, and their numbers were not optimised',
        },
      );
    }
    return figures;
  },
};

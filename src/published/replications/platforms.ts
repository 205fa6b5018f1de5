import { kvBytesOf } from '../../roofline/questions/split.js';
import { machinePool, transferOf } from '../../simulator/machine-pool.js';
import { simulate } from '../../simulator/simulation.js';
import type { Cluster } from '../../simulator/cluster.js';
import { FIGURE_4, crossing, gains, prefillLeader, request, tpotLeader, type Platform } from '../seeds/platforms.js';
import { predictorOf } from '../seeds/subjects.js';
import type { ReplicatedFigure, Replication } from './replication.js';

const on = (platform: Platform) => predictorOf('llama-2-7b', platform);
const LOAD = { promptTokens: 1024, outputTokens: 128 };
const GIGABITS = 100;

/** Published words beside ours: the four statements of the abstract. */
const STATEMENTS: readonly (readonly [figure: string, published: string, ours: () => string])[] = [
  ['who leads in prefill', 'GPU', prefillLeader],
  ['who leads in TPOT at batch 1', 'GroqRack', tpotLeader],
  ['who leads in throughput as batches grow', 'GPU', () => (crossing() === undefined ? 'GroqRack' : 'GPU')],
  ['when splitting phases gains', 'under some conditions', gains],
];

/** Milliseconds of the three parts of one request, by the simulator: events, links and all. */
function simulated(prefill: Platform, decode: Platform): readonly [prefill: number, transfer: number, decode: number] {
  const router = { prefill: 'round-robin', decode: 'round-robin' } as const;
  const link = (GIGABITS * 1e9) / 8;
  const apart: Cluster = {
    router,
    transfer: transferOf(on(prefill), { latency: 0, mode: 'after', overlap: 0, shared: true }),
    pools: [
      machinePool(on(prefill), { name: 'p', role: 'prefill', count: 1, linkBytesPerSecond: link / on(prefill).chips }),
      machinePool(on(decode), { name: 'd', role: 'decode', count: 1, linkBytesPerSecond: link / on(decode).chips }),
    ],
  };
  const one: Cluster = { router, pools: [machinePool(on(prefill), { name: 'both', role: 'both', count: 1 })] };
  const { traces } = simulate(prefill === decode ? one : apart, [{ index: 0, arrival: 0, ...LOAD }]);
  const [{ tokens, transferred }] = traces;
  const arrived = Number.isNaN(transferred) ? tokens.first : transferred;
  return [1e3 * tokens.first, 1e3 * (arrived - tokens.first), 1e3 * (tokens.last - arrived)];
}

const bars = (parts: readonly number[]): string => `${parts.map((ms) => ms.toFixed(0)).join(' + ')} ms`;

export const platforms: Replication = {
  name: 'platforms',
  about:
    'Prefill/Decode-Aware Evaluation of LLM Inference on Emerging AI Accelerators (arXiv 2606.17104): A100, GroqRack',
  files: [],
  run() {
    const statements = STATEMENTS.map(([figure, published, ours]): ReplicatedFigure => {
      const own = ours();
      return { figure, published, ours: own, class: 'shape', holds: own === published };
    });
    const stacked = FIGURE_4.map(([name, prefill, decode]): ReplicatedFigure => {
      const { prefillSeconds, transferSeconds, decodeSeconds } = request(prefill, decode, 1024, 128, GIGABITS);
      const predicted = [prefillSeconds, transferSeconds, decodeSeconds].map((seconds) => 1e3 * seconds);
      const parts = simulated(prefill, decode);
      const [prefillMs, transferMs, decodeMs] = parts;
      const same = parts.every((part, at) => Math.abs(part - predicted[at]) < 1e-3 * Math.max(1, predicted[at]));
      return {
        figure: `Fig. 4 and 5, prefill + transfer + decode: ${name}`,
        published: 'drawn only',
        ours: same ? bars(parts) : `${bars(parts)}, predicted ${bars(predicted)}`,
        class: 'not replicable',
        why: 'the page prints no value; ours is Llama-2-7B in f16, 1,024 tokens in, 128 out, 100 Gb/s, simulated',
        bar: { name, prefill: prefillMs, transfer: transferMs, decode: decodeMs },
      };
    });
    const cache = kvBytesOf(on('a100-80'), 1024);
    return [
      ...statements,
      {
        figure: 'batch from which the A100 leads in throughput, 1,024 tokens',
        published: 'not printed',
        ours: crossing() ?? 'never',
        class: 'not replicable',
        why: 'the page says that there is one',
      },
      ...stacked,
      {
        figure: 'keys and values of a token of Llama-2-7B, MB',
        published: '0.524',
        ours: cache / 1024e6,
        class: 'exact',
      },
      ...(
        [
          [8, '537'],
          [100, '42.9'],
          [400, '10.7'],
        ] as const
      ).map(([gigabits, published]): ReplicatedFigure => ({
        figure: `1,024 of them over ${gigabits} Gb/s, ms`,
        published,
        ours: (8e3 * cache) / (gigabits * 1e9),
        class: 'exact',
      })),
    ];
  },
};

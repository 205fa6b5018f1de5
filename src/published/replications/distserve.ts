import { POLICIES } from '../../scheduler/policies/index.js';
import type { Cluster, Pool } from '../../simulator/cluster.js';
import { resampled, type RequestLengths } from '../../simulator/load.js';
import { numbersOf, parseCsv } from '../../simulator/price/csv.js';
import { LinearPrice } from '../../simulator/price/linear.js';
import { readLinearFit } from '../../simulator/price/linear-fit.js';
import { highestGood } from '../../simulator/search.js';
import { simulate } from '../../simulator/simulation.js';
import { judge, parseSlo } from '../../simulator/slo.js';
import { overloaded } from '../../simulator/summary.js';
import type { ReplicatedFigure, Replication } from './replication.js';

const FITS = 'profiles/distserve_a100_fits.json';
const LENGTHS = 'profiles/llmservingsim_rtx4090_llama-3.1-8b_vllm.csv';
const MODEL = 'facebook/opt-13b';

/** Milliseconds that DistServe's formulas give at its coefficients: chips, what, tokens or rows, tokens in all caches. */
const STEPS = [
  { chips: '1', figure: 'a prompt of 512 tokens, 1 chip, ms', published: '72.1487', prompts: [512] },
  { chips: '2', figure: 'prompts of 256 and 1,024, 2 chips, ms', published: '105.2509', prompts: [256, 1024] },
  { chips: '1', figure: '16 rows over 4,096 tokens, 1 chip, ms', published: '23.1187', rows: 16, keys: 4096 },
  { chips: '1', figure: '128 rows over 65,536 tokens, 1 chip, ms', published: '65.4278', rows: 128, keys: 65_536 },
] as const;

/** OPT-13B: 40 layers of 5,120 in f16, keys and values of each; an A100 of 80 GB less 26 GB of weights. */
const TOKEN_BYTES = 2 * 40 * 5120 * 2;
const WEIGHT_BYTES = 26e9;
const blocksOf = (chips: number): number => Math.floor((0.9 * 80e9 * chips - WEIGHT_BYTES) / TOKEN_BYTES / 16);
const NVLINK = 300e9;

export const distserve: Replication = {
  name: 'distserve',
  about: 'the fits of DistServe for OPT-13B on A100, and the goodput of its README (LLMServe/DistServe, Apache-2.0)',
  files: [FITS, LENGTHS],
  async run({ read, turn }) {
    const fit = (chips: string): LinearPrice =>
      new LinearPrice(readLinearFit(JSON.parse(read(FITS)), FITS, MODEL, chips));
    const steps = STEPS.map((step): ReplicatedFigure => {
      const load = {
        decodeRows: 'rows' in step ? step.rows : 0,
        decodeKeys: 'keys' in step ? step.keys : 0,
        prompts: 'prompts' in step ? step.prompts.map((end) => ({ begin: 0, end })) : [],
        logitRows: 0,
      };
      return {
        figure: step.figure,
        published: step.published,
        ours: 1e3 * fit(step.chips).seconds(load),
        class: 'exact',
      };
    });
    const lengths = parseCsv(read(LENGTHS), LENGTHS)
      .rows.map((row) => numbersOf(row, ['input_tokens', 'output_tokens'], LENGTHS))
      .map(([promptTokens, outputTokens]): RequestLengths => ({ promptTokens, outputTokens }));
    const apart = await goodput(split(fit('2'), fit('1')), lengths, turn);
    const together = await goodput(unified(fit('1')), lengths, turn);
    return [
      ...steps,
      {
        figure: 'req/s a GPU at 200/100 ms for 90 %, 4 GPUs (prompts on 2, decoding on 1 + 1)',
        published: '1.56',
        ours: apart / 4,
        class: 'shape',
        holds: apart > together,
        why: `held is that apart serves more than together: 4 GPUs that do both reach ${(together / 4).toFixed(2)} a GPU; lengths are ShareGPT's as LLMServingSim drew them, DistServe's own are not to be had`,
      },
    ];
  },
};

const router = { prefill: 'least-tokens', decode: 'least-kv' } as const;
const common = { policy: POLICIES['prefill-first'], blockTokens: 16, maxSequences: 256, stepTokens: 2048, depth: 1 };

const split = (two: LinearPrice, one: LinearPrice): Cluster => ({
  router,
  transfer: { bytesPerToken: TOKEN_BYTES, latency: 0, mode: 'after', overlap: 0, layers: 40, shared: true },
  pools: [
    {
      ...common,
      name: 'p',
      role: 'prefill',
      count: 1,
      price: two,
      blocks: blocksOf(2),
      linkBytesPerSecond: 2 * NVLINK,
    },
    { ...common, name: 'd', role: 'decode', count: 2, price: one, blocks: blocksOf(1), linkBytesPerSecond: NVLINK },
  ] satisfies Pool[],
});

const unified = (price: LinearPrice): Cluster => ({
  router: { prefill: 'least-requests', decode: 'least-kv' },
  pools: [{ ...common, name: 'all', role: 'both', count: 4, price, blocks: blocksOf(1) }],
});

/** Requests a second at which nine of ten have their first token within 200 ms and gaps of 100 on average. */
async function goodput(
  cluster: Cluster,
  lengths: readonly RequestLengths[],
  turn: () => Promise<void>,
): Promise<number> {
  const slo = parseSlo('ttft:p90:200,tbt:p90:100');
  const found = await highestGood(0.25, 0.02, async (rate) => {
    await turn();
    const requests = resampled(lengths, { rate, seconds: 300, seed: 0 });
    const { traces } = simulate(cluster, requests, { keepTokens: false });
    return !overloaded(traces) && judge(slo, traces).every(({ met }) => met);
  });
  return found ?? 0;
}

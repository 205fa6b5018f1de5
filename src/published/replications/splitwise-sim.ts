import { parseTrace } from '../../traffic/azure.js';
import { percentileOf } from '../../traffic/metrics.js';
import { SplitwiseProfile } from '../../simulator/splitwise/profile.js';
import { SPLITWISE_BLOOM, simulateSplitwise, splitwisePool } from '../../simulator/splitwise/simulate.js';
import { slowdownsOf } from '../../simulator/splitwise/slowdowns.js';
import { splitwiseTrace } from '../../simulator/splitwise/trace.js';
import type { ReplicatedFigure, Replication } from './replication.js';

const PROFILE = 'profiles/splitwise_perf_model.csv';
const TRACE = 'traces/AzureLLMInferenceTrace_code.csv';

const cluster = (prompts: number, tokens: number) => ({
  model: SPLITWISE_BLOOM,
  pools: [splitwisePool('prompt', prompts), splitwisePool('token', tokens)],
});

/** What its source computes of three requests on one and one machine. Seconds. */
const REQUESTS = [
  { arrival: 1, promptTokens: 4096, outputTokens: 32, ttft: '0.6495982770', response: '1.8213054609' },
  { arrival: 3, promptTokens: 2048, outputTokens: 8, ttft: '0.2519640095', response: '0.5375359946' },
  { arrival: 4, promptTokens: 2048, outputTokens: 16, ttft: '0.2519640095', response: '0.8201539775' },
];

/** Of SPAD's question for code: slowdowns P90 TTFT, P90 TBT, then P99 of both as far as known. */
const CLUSTERS = [
  { prompts: 18, tokens: 7, slowdowns: ['13.3', '14.0'] },
  { prompts: 24, tokens: 4, slowdowns: ['4.53', '3.30'] },
  { prompts: 26, tokens: 3, slowdowns: ['2.99', '2.09', '8.46', '5.96'] },
  { prompts: 28, tokens: 3, slowdowns: ['1.28', '1.13', '4.86', '2.44'] },
  { prompts: 30, tokens: 4, slowdowns: ['1.00', '1.11', '2.06', '1.37'] },
];
const NAMES = ['P90 TTFT', 'P90 TBT', 'P99 TTFT', 'P99 TBT'];
/** Requests whose lengths are drawn before the end of the trace cuts them off, which decides who gets which. */
const DRAWN = 16_800;

export const splitwiseSim: Replication = {
  name: 'splitwise-sim',
  about: 'its rules, its measured table of BLOOM-176B on H100, its random numbers (Mutinifni/splitwise-sim, MIT)',
  files: [PROFILE, TRACE],
  run({ read }) {
    const profile = new SplitwiseProfile(read(PROFILE), PROFILE);
    const three = simulateSplitwise(
      cluster(1, 1),
      REQUESTS.map((request, index) => ({ index, ...request })),
      profile,
    );
    const vector = REQUESTS.flatMap(({ ttft, response }, at): ReplicatedFigure[] => [
      { figure: `request ${at + 1}, TTFT, s`, published: ttft, ours: three.times[at].ttft, class: 'exact' },
      { figure: `request ${at + 1}, response, s`, published: response, ours: three.times[at].response, class: 'exact' },
    ]);
    const requests = splitwiseTrace(parseTrace(read(TRACE), TRACE), { rate: 70, duration: 120, seed: 0, drawn: DRAWN });
    const coding = CLUSTERS.flatMap(({ prompts, tokens, slowdowns }) => {
      const { times } = simulateSplitwise(cluster(prompts, tokens), requests, profile);
      const { ttft, tbt } = slowdownsOf(times, profile.price('bloom-176b', 'h100-80gb', 8));
      const found = [90, 99].flatMap((percent) => [percentileOf(ttft, percent)!, percentileOf(tbt, percent)!]);
      return slowdowns.map((published, at): ReplicatedFigure => ({
        figure: `${prompts}P + ${tokens}D, ${NAMES[at]}, x`,
        published,
        ours: found[at],
        class: 'exact',
      }));
    });
    return [...vector, ...coding];
  },
};

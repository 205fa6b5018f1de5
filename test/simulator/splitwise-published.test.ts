import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SplitwiseProfile } from '../../src/simulator/splitwise/profile.js';
import { SPLITWISE_BLOOM, simulateSplitwise, splitwisePool } from '../../src/simulator/splitwise/simulate.js';

const PROFILE = '../shared/data/profiles/splitwise_perf_model.csv';

const cluster = (prompts: number, tokens: number) => ({
  model: SPLITWISE_BLOOM,
  pools: [splitwisePool('prompt', prompts), splitwisePool('token', tokens)],
});

const profile = (): SplitwiseProfile => new SplitwiseProfile(readFileSync(PROFILE, 'utf8'), PROFILE);

describe.skipIf(!existsSync(PROFILE))("splitwise-sim's own run of three requests (needs ../shared/data)", () => {
  it('comes out the same to a microsecond', () => {
    const requests = [
      { arrival: 1, promptTokens: 4096, outputTokens: 32 },
      { arrival: 3, promptTokens: 2048, outputTokens: 8 },
      { arrival: 4, promptTokens: 2048, outputTokens: 16 },
    ].map((request, index) => ({ index, ...request }));
    const theirs = [
      { ttft: 0.649598277, response: 1.8213054609, secondTokenDelay: 0.0765625 },
      { ttft: 0.2519640095, response: 0.5375359946, secondTokenDelay: 0.0382813 },
      { ttft: 0.2519640095, response: 0.8201539775, secondTokenDelay: 0.0382813 },
    ];
    const { times } = simulateSplitwise(cluster(1, 1), requests, profile());
    times.forEach(({ ttft, response, secondTokenDelay }, at) => {
      expect(Math.abs(ttft - theirs[at].ttft)).toBeLessThan(1e-9);
      expect(Math.abs(response - theirs[at].response)).toBeLessThan(1e-9);
      expect(Math.abs(secondTokenDelay - theirs[at].secondTokenDelay)).toBeLessThan(1e-7);
    });
    expect(times).toHaveLength(3);
  });
});

/**
 * Response times in microseconds that the rules of splitwise-sim give in Python, on its own heap and its own way to
 * insert into lists: once with transfers that wait for memory at shared moments, once with machines lent and rows put out.
 */
const RUNS = [
  {
    scheduler: 'kv_jsq',
    limits: {},
    tokens: { prompt: 1e6, token: 560 },
    putOut: 0,
    responses: [
      20100, 168170, 324370, 442470, 373370, 418270, 348870, 393970, 784140, 653640, 474170, 629040, 450170, 604340,
      3429330, 2285450, 687940, 2271450, 663740, 2246850, 639440, 3223330, 604640, 3198730, 652140, 1363180, 1471080,
      3389030, 1447080, 3365030, 1422980, 3340930, 1398780, 2346650, 1374480, 2322650, 1350080, 2298550, 1325580,
      3233730, 1300980, 2250150, 2024440, 2225850, 1000180, 3181330, 1986440, 2187450,
    ],
  },
  {
    scheduler: 'mixed_pool',
    limits: { maxBatch: 6, maxBatchTokens: 100, maxPreemptions: 2 },
    tokens: { prompt: 400, token: 400 },
    putOut: 5,
    responses: [
      20100, 425300, 590700, 411300, 576700, 397300, 700900, 364900, 793600, 480600, 691800, 326500, 677800, 253400,
      792800, 460500, 908000, 446500, 575800, 716500, 1072300, 702500, 801800, 393100, 832800, 1068500, 773800, 1104200,
      963800, 1150200, 889700, 1128100, 946300, 1199500, 1014700, 1175400, 950000, 1151200, 882200, 1126900, 819700,
      1112900, 939200, 1239500, 809300, 1020100, 940900, 985900,
    ],
  },
] as const;

describe('48 requests on machines with little memory', () => {
  it.each(RUNS)(
    'come out one by one as in Python with $scheduler',
    ({ scheduler, limits, tokens, putOut, responses }) => {
      const toy = new SplitwiseProfile(
        'model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time,token_time\n' +
          'toy,card,8,1,1,1,10\ntoy,card,8,1001,1,1001,110\n',
      );
      const pool = (role: 'prompt' | 'token', count: number) => ({
        role,
        count,
        hardware: 'card',
        tensorParallel: 8,
        memoryBytes: 1000 + 128 * tokens[role],
      });
      const { times, machines } = simulateSplitwise(
        {
          model: { name: 'toy', layers: 2, hiddenSize: 16, weightBytes: 1000, bytesPerElement: 2 },
          pools: [pool('prompt', 2), pool('token', 1)],
          scheduler,
          limits,
          promptThreshold: 200,
          transferBytesPerSecond: 12.8e6,
        },
        responses.map((_, index) => ({
          index,
          arrival: (7 * index + 3) / 1000,
          promptTokens: 10 + ((37 * index) % 90),
          outputTokens: 2 + ((11 * index) % 23),
        })),
        toy,
      );
      expect(times.map(({ response }) => Math.round(1e6 * response))).toEqual(responses);
      expect(machines.reduce((sum, machine) => sum + machine.putOut, 0)).toBe(putOut);
    },
  );
});

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SplitwiseProfile } from '../../src/simulator/splitwise/profile.js';
import { BLOOM_176B, simulateSplitwise, splitwisePool } from '../../src/simulator/splitwise/simulate.js';

const PROFILE = '../shared/data/profiles/splitwise_perf_model.csv';

const cluster = (prompts: number, tokens: number) => ({
  model: BLOOM_176B,
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

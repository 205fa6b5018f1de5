import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/simulator/price/csv.js';
import { SplitwiseProfile } from '../../src/simulator/splitwise/profile.js';
import { SPLITWISE_BLOOM, simulateSplitwise, splitwisePool } from '../../src/simulator/splitwise/simulate.js';
import { slowdownsOf } from '../../src/simulator/splitwise/slowdowns.js';
import { splitwiseTrace } from '../../src/simulator/splitwise/trace.js';
import { percentileOf } from '../../src/traffic/metrics.js';

const PROFILE = '../shared/data/profiles/splitwise_perf_model.csv';
const TRACE = '../shared/data/traces/AzureLLMInferenceTrace_code.csv';

const cluster = (prompts: number, tokens: number) => ({
  model: SPLITWISE_BLOOM,
  pools: [splitwisePool('prompt', prompts), splitwisePool('token', tokens)],
});

const profile = (): SplitwiseProfile => new SplitwiseProfile(readFileSync(PROFILE, 'utf8'), PROFILE);

describe.skipIf(!existsSync(PROFILE) || !existsSync(TRACE))(
  "splitwise-sim's run of 8,502 requests for code, 70 a second for two minutes (needs ../shared/data)",
  () => {
    // Slowdowns it gives: P90 of TTFT and of TBT, then P99 of both.
    const CELLS = [
      { prompts: 18, tokens: 7, slowdowns: ['13.3', '14.0'] },
      { prompts: 24, tokens: 4, slowdowns: ['4.53', '3.30'] },
      { prompts: 26, tokens: 3, slowdowns: ['2.99', '2.09', '8.46', '5.96'] },
      { prompts: 28, tokens: 3, slowdowns: ['1.28', '1.13', '4.86', '2.44'] },
      { prompts: 30, tokens: 4, slowdowns: ['1.00', '1.11', '2.06', '1.37'] },
    ];
    it.each(CELLS)('comes out digit by digit on $prompts + $tokens machines', ({ prompts, tokens, slowdowns }) => {
      const { rows } = parseCsv(readFileSync(TRACE, 'utf8'), TRACE);
      const lengths = rows.map(({ ContextTokens, GeneratedTokens }) => ({
        promptTokens: Number(ContextTokens),
        outputTokens: Number(GeneratedTokens),
      }));
      const requests = splitwiseTrace(lengths, { rate: 70, duration: 120, seed: 0, drawn: 16_800 });
      expect(requests).toHaveLength(8502);
      const table = profile();
      const { times, unserved, machines } = simulateSplitwise(cluster(prompts, tokens), requests, table);
      expect(unserved).toEqual([]);
      expect(machines.every(({ heldBytes }) => heldBytes === 0)).toBe(true);
      const { ttft, tbt } = slowdownsOf(times, table.price('bloom-176b', 'h100-80gb', 8));
      const found = [90, 99].flatMap((percent) => [percentileOf(ttft, percent)!, percentileOf(tbt, percent)!]);
      const digits = (text: string): number => text.length - text.indexOf('.') - 1;
      expect(slowdowns.map((text, at) => found[at].toFixed(digits(text)))).toEqual(slowdowns);
    });
  },
);

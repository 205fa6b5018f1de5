import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../src/scheduler/policies/index.js';
import { parseCsv } from '../../src/simulator/price/csv.js';
import { LinearPrice } from '../../src/simulator/price/linear.js';
import { ProfilePrice } from '../../src/simulator/price/llmservingsim.js';
import { PredictedPrice } from '../../src/simulator/price/predicted.js';
import { MeasuredTable } from '../../src/simulator/price/table.js';
import { simulate } from '../../src/simulator/simulation.js';
import { predict } from '../../src/roofline/predict/predict.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { preset } from '../roofline/models.js';
import { cluster, pool } from './support.js';

const PROFILES = '../shared/data/profiles';

describe('a measured table', () => {
  const table = new MeasuredTable([
    [0, 1, 10],
    [0, 3, 30],
    [4, 1, 20],
    [4, 1, 24],
    [4, 1, 90],
    [4, 9, 100],
  ]);

  it('gives what was measured, the median of equals, and lines between', () => {
    let outside = 0;
    const at = (...place: number[]): number => table.at(place, () => outside++);
    expect(at(0, 1)).toBe(10);
    expect(at(4, 1)).toBe(24);
    expect(at(0, 2)).toBe(20);
    // Along the second coordinate each side has places of its own: 20 at (0, 2), 24 + 76/8 at (4, 2).
    expect(at(2, 2)).toBeCloseTo((20 + 24 + 76 / 8) / 2, 12);
    expect(outside).toBe(0);
  });

  it('goes on in a line outside, and says so', () => {
    let outside = 0;
    expect(table.at([0, 5], () => outside++)).toBe(50);
    expect(outside).toBe(1);
  });
});

describe('a linear price', () => {
  it('takes the line of its number of rows, and squares of whole prompts', () => {
    const price = new LinearPrice({
      prefill: [10, 0.1, 0.001],
      decodeSmall: [5, 0.01, 1],
      decodeLarge: [6, 0.02, 2],
      threshold: 4,
    });
    const load = { decodeRows: 0, decodeKeys: 0, prompts: [], logitRows: 0 };
    expect(price.seconds({ ...load, decodeRows: 3, decodeKeys: 100 })).toBeCloseTo((5 + 1 + 3) / 1000, 12);
    expect(price.seconds({ ...load, decodeRows: 4, decodeKeys: 100 })).toBeCloseTo((6 + 2 + 8) / 1000, 12);
    // Two chunks of one prompt together cost the squares of the whole: 20^2 = 400.
    const chunks = [
      { begin: 0, end: 12 },
      { begin: 12, end: 20 },
    ];
    expect(price.seconds({ ...load, prompts: chunks })).toBeCloseTo((10 + 2 + 0.4) / 1000, 12);
  });
});

describe('a file of a table', () => {
  it('is refused by line and column', () => {
    expect(() => parseCsv('a,b\n1\n', 't.csv')).toThrow('t.csv: line 2 has 1 fields, the header has 2');
    expect(() => parseCsv('a,b\n', 't.csv')).toThrow('t.csv: there are no rows below the header');
  });
});

describe('a request alone on a machine', () => {
  it('takes exactly what predict says', () => {
    for (const [promptTokens, outputTokens] of [
      [1, 1],
      [512, 64],
      [2000, 300],
    ]) {
      const prediction = predict({
        model: preset('llama-2-7b'),
        hardware: hardwareById('h100-sxm'),
        promptTokens,
        outputTokens,
      });
      const price = new PredictedPrice(prediction.predictor);
      const { traces } = simulate(cluster([pool({ price, stepTokens: 4096, depth: 2 })]), [
        { index: 0, arrival: 3, promptTokens, outputTokens },
      ]);
      expect(traces[0].ttft).toBeCloseTo(prediction.ttftSeconds, 12);
      expect(traces[0].e2e / prediction.e2eSeconds).toBeCloseTo(1, 9);
    }
  });
});

describe.skipIf(!existsSync(PROFILES))('300 requests that vLLM 0.19.0 served (needs ../shared/data)', () => {
  const CARDS = [
    // Blocks as vLLM had them on the 4090; on the other card they never ran out, and 128 sequences ran at most.
    { card: 'rtx4090', blocks: 2588, maxSequences: 256, within: 0.03 },
    { card: 'rtxpro6000', blocks: 33_000, maxSequences: 128, within: 0.09 },
  ];
  it.each(CARDS)(
    'come out as they did on $card, with prices from its profile',
    ({ card, blocks, maxSequences, within }) => {
      const text = (name: string): string =>
        readFileSync(`${PROFILES}/llmservingsim_${card}_llama-3.1-8b_${name}.csv`, 'utf8');
      const price = new ProfilePrice(
        { dense: text('dense'), attention: text('attention'), perSequence: text('per_sequence') },
        32,
      );
      const { rows } = parseCsv(text('vllm'), 'vllm');
      const served = rows.map((row) => ({
        arrival: Number(row.arrival_s),
        promptTokens: Number(row.input_tokens),
        outputTokens: Number(row.output_tokens),
        first: Number(row.first_token_s),
        last: Number(row.last_token_s),
      }));
      const machine = pool({ price, policy: POLICIES.chunked, blocks, maxSequences, stepTokens: 2048 });
      const { traces } = simulate(
        cluster([machine]),
        served.map(({ arrival, promptTokens, outputTokens }, index) => ({
          index,
          arrival,
          promptTokens,
          outputTokens,
        })),
      );
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const long = served.filter(({ outputTokens }) => outputTokens > 1);
      const errors = {
        ttft: mean(traces.map(({ ttft }) => ttft)) / mean(served.map(({ first, arrival }) => first - arrival)) - 1,
        tpot:
          mean(traces.map(({ tpot }) => tpot).filter((tpot) => !Number.isNaN(tpot))) /
            mean(long.map(({ first, last, outputTokens }) => (last - first) / (outputTokens - 1))) -
          1,
        e2e: mean(traces.map(({ e2e }) => e2e)) / mean(served.map(({ last, arrival }) => last - arrival)) - 1,
      };
      for (const error of Object.values(errors)) expect(Math.abs(error)).toBeLessThan(within);
      expect(price.outside.steps / price.outside.of).toBeLessThan(0.05);
    },
  );
});

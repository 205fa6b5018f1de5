import { expect, test } from 'vitest';
import { paceFelt } from '../../bench/calibrate/pace-felt.js';
import { plan } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import type { BenchRecord } from '../../bench/schema.js';
import { begun, measureFake, OPTIONS } from '../bench/made-up.js';

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
const { records } = await runBench(begun(), points, measureFake());

/** Records whose repetitions feel the pace by these exponents. */
function felt(prompts: number, tokens: number, pace_ms = [10, 12, 20, 15, 11]): BenchRecord[] {
  const times = (exponent: number, unit = 1) => pace_ms.map((ms) => unit * ms ** exponent);
  return records.map((each): BenchRecord => {
    if (each.kind === 'ttft') return { ...each, pace_ms, ttfts_ms: times(prompts, 3) };
    if (each.kind === 'tpot') return { ...each, pace_ms, tpots_ms: times(tokens, 0.5) };
    if (each.kind === 'llama-bench') {
      return { ...each, pace_ms, samples_ns: times(each.n_prompt > 0 ? prompts : tokens, 1e6) };
    }
    return { ...each, pace_ms, unprofiled_ms: times(each.phase === 'prefill' ? prompts : tokens, 7) };
  });
}

test('each phase is found to feel the pace as strongly as its repetitions do', () => {
  const found = paceFelt(felt(1.1, 0.6));
  expect(found.prompts).toBeCloseTo(1.1, 2);
  expect(found.tokens).toBeCloseTo(0.6, 1);
});

test('a quiet machine teaches little, and none that cannot be', () => {
  const quiet = paceFelt(felt(3, 0, [10, 10.01, 10, 9.99, 10]));
  expect(quiet.prompts).toBeCloseTo(1, 2);
  expect(quiet.tokens).toBeCloseTo(1, 2);
  expect(paceFelt(felt(4, -2))).toEqual({ prompts: 1.5, tokens: 0 });
});

test('what has no pace, or one for other repetitions, counts for nothing', () => {
  expect(paceFelt(records)).toEqual({ prompts: 1, tokens: 1 });
  expect(paceFelt(felt(2, 2).map((each) => ({ ...each, pace_ms: [1, 2] })))).toEqual({ prompts: 1, tokens: 1 });
});

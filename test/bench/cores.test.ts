import { describe, expect, it } from 'vitest';
import { ARRANGEMENTS } from '../../bench/cores/arrangements.js';
import { felt } from '../../bench/cores/felt.js';

const request = (arrivals: readonly number[], status: 'completed' | 'failed' = 'completed') => ({
  ...{ index: 0, status, scheduled_ms: 0, sent_ms: 0, input_len: 8, output_len: arrivals.length },
  ...{ arrivals_ms: [...arrivals], end_ms: arrivals.at(-1) ?? 0 },
});

describe('two workers of one core each', () => {
  it('are felt by first tokens, gaps, and requests that had neither too late', () => {
    const steady = request([100, 110, 120, 130]);
    const late = request([1200, 1210, 1220]);
    const halting = request([300, 310, 400]);
    expect(felt([steady, late, halting, request([5, 6], 'failed')])).toEqual({
      completed: 3,
      ttft: { p50: 300, p99: expect.closeTo(1182) as number },
      itl: { p50: 10, p99: expect.closeTo(85.2) as number, max: 90 },
      good: 1,
    });
    expect(() => felt([request([], 'failed')])).toThrow('no request completed');
  });

  it('compute prompts for each other in one arrangement alone', () => {
    const withPrefill = ARRANGEMENTS.filter(({ workers }) => workers.some(({ role }) => role === 'prefill'));
    expect(withPrefill.map(({ name }) => name)).toEqual(['one for prompts, one for answers']);
    for (const { workers } of ARRANGEMENTS) expect(workers.some(({ role }) => role === 'decode')).toBe(true);
  });
});

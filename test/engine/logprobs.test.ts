import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logprobsOf } from '../../src/engine/logprobs.js';
import { softmax } from '../reference/ops.js';
import { scaled } from '../support/scale.js';

const logitsOf = fc
  .array(fc.float({ min: -80, max: 80, noNaN: true }), { minLength: 1, maxLength: 70 })
  .map((values) => Float32Array.from(values));

describe('logprobsOf', () => {
  it('is the float64 log-softmax, with the most likely first', () => {
    fc.assert(
      fc.property(logitsOf, fc.nat(), fc.nat({ max: 80 }), (logits, chosen, count) => {
        const id = chosen % logits.length;
        const probabilities = softmax(Float64Array.from(logits));
        const { token, top } = logprobsOf(logits, id, count);
        expect(token.id).toBe(id);
        expect(Math.exp(token.logprob)).toBeCloseTo(probabilities[id], 12);
        const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
        expect(top.map((entry) => entry.id)).toEqual(order.slice(0, count));
        for (const entry of top) expect(Math.exp(entry.logprob)).toBeCloseTo(probabilities[entry.id], 12);
        expect(top.reduce((sum, entry) => sum + Math.exp(entry.logprob), 0)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: scaled(1000, 200) },
    );
  });

  it('stays finite where exponentials would overflow', () => {
    const { token, top } = logprobsOf(Float32Array.of(3e38, -3e38, 3e38), 1, 2);
    for (const { logprob } of top) expect(logprob).toBeCloseTo(-Math.LN2, 9);
    expect(token.logprob).toBeLessThan(-1e38);
  });
});

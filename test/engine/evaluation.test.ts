import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Evaluation, slidingWindows } from '../../src/engine/evaluation.js';

describe('sliding windows', () => {
  it('judge every token but the first once, each with as much context as the stride leaves', () => {
    const sizes = fc
      .tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 2, max: 64 }))
      .chain(([tokens, length]) =>
        fc.tuple(fc.constant(tokens), fc.constant(length), fc.integer({ min: 1, max: length - 1 })),
      );
    fc.assert(
      fc.property(sizes, ([tokens, length, stride]) => {
        const judged: number[] = [];
        for (const { begin, end, from } of slidingWindows(tokens, length, stride)) {
          expect(end - begin).toBeLessThanOrEqual(length);
          if (begin > 0) expect(from - begin).toBeGreaterThanOrEqual(length - stride);
          for (let token = from; token < end; token++) judged.push(token);
        }
        expect(judged).toEqual(Array.from({ length: tokens - 1 }, (_, i) => i + 1));
      }),
    );
  });
});

describe('an evaluation', () => {
  it('has the perplexity of a uniform guess for equal logits', () => {
    const evaluation = new Evaluation(8);
    for (let i = 0; i < 5; i++) evaluation.add(new Float32Array(8).fill(i), i);
    expect(evaluation.quality.perplexity).toBeCloseTo(8, 10);
    expect(evaluation.quality.tokens).toBe(5);
  });

  it('finds no distance between equal runs, whatever is added to all logits', () => {
    const evaluation = new Evaluation(4);
    const logits = Float32Array.of(1, 3, -2, 0.5);
    evaluation.add(
      logits,
      1,
      logits.map((each) => each + 2),
    );
    expect(evaluation.distance.meanKl).toBeCloseTo(0, 6);
    expect(evaluation.distance.top1Agreement).toBe(1);
    expect(evaluation.distance.largestLogitError).toBe(2);
    expect(evaluation.reference.perplexity).toBeCloseTo(evaluation.quality.perplexity, 6);
  });

  it('gives the divergence from the reference to the run, and counts tops that differ', () => {
    const evaluation = new Evaluation(2);
    // Probabilities 3/4 and 1/4 in the reference, 1/2 each in the run, where the first counts as the top.
    evaluation.add(Float32Array.of(0, 0), 0, Float32Array.of(0, Math.log(3)));
    evaluation.add(Float32Array.of(0, 0), 0, Float32Array.of(Math.log(3), 0));
    const kl = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
    expect(evaluation.distance.meanKl).toBeCloseTo(kl, 6);
    expect(evaluation.distance.top1Agreement).toBe(0.5);
  });
});

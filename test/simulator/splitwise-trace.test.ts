import { describe, expect, it } from 'vitest';
import { MersenneTwister } from '../../src/simulator/splitwise/mersenne-twister.js';
import { parseSplitwiseTrace, splitwiseTrace } from '../../src/simulator/splitwise/trace.js';

describe('the Mersenne Twister', () => {
  it('gives the words of its authors', () => {
    const random = new MersenneTwister(5489);
    expect([random.word(), random.word()]).toEqual([3499211612, 581869302]);
    // The 10,000th of the default seed, as the C++ standard states it (26.5.5).
    for (let count = 2; count < 9999; count++) random.word();
    expect(random.word()).toBe(4123659995);
  });

  it("draws as NumPy's RandomState does", () => {
    const random = new MersenneTwister(0);
    const digits = (value: number): number => Number(value.toFixed(8));
    expect([0, 0, 0].map(() => digits(random.random()))).toEqual([0.5488135, 0.71518937, 0.60276338]);
    expect([0, 0, 0, 0, 0].map(() => random.below(8819))).toEqual([7891, 4373, 5874, 6744, 3468]);
    expect([0, 0].map(() => digits(random.exponential()))).toEqual([0.4836021, 1.56889614]);
    expect([0, 0, 0].map(() => random.below(8819))).toEqual([2222, 7768, 2897]);
    // A single choice takes no draw, and a full word of them is never drawn anew.
    expect([random.below(1), random.below(1)]).toEqual([0, 0]);
    expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
  });
});

describe('a trace as generate_trace.py draws it', () => {
  const lengths = Array.from({ length: 10 }, (_, at) => ({ promptTokens: at + 1, outputTokens: 100 + at }));

  it('draws all gaps, then all prompts, then the answers, each for itself', () => {
    const trace = splitwiseTrace(lengths, { rate: 2, duration: 3, seed: 0, drawn: 8 });
    const random = new MersenneTwister(0);
    const gaps = Array.from({ length: 8 }, () => random.exponential() * 0.5);
    const prompts = Array.from({ length: 8 }, () => random.below(10));
    const arrivals = gaps.map((_, at) => gaps.slice(0, at + 1).reduce((sum, gap) => sum + gap, 0));
    const kept = arrivals.filter((arrival) => arrival < 3);
    expect(kept.length).toBeGreaterThan(2);
    expect(kept.length).toBeLessThan(8);
    expect(trace).toEqual(
      kept.map((arrival, index) => ({
        index,
        arrival,
        promptTokens: 1 + prompts[index],
        outputTokens: 100 + random.below(10),
      })),
    );
  });

  it('has as many requests as NumPy draws with seed 0', () => {
    expect(splitwiseTrace(lengths, { rate: 70, duration: 120, seed: 0, drawn: 16_800 })).toHaveLength(8502);
  });
});

describe('a file of requests as splitwise-sim keeps them', () => {
  const head = 'request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size';

  it('is read by its columns, in order of arrival', () => {
    expect(parseSplitwiseTrace(`${head}\r\n0,2,0,0.5,1,100,20\r\n1,2,0,0.25,1,7,1`, 't.csv')).toEqual([
      { index: 0, arrival: 0.25, promptTokens: 7, outputTokens: 1 },
      { index: 1, arrival: 0.5, promptTokens: 100, outputTokens: 20 },
    ]);
  });

  it.each([
    ['a column that is not there', 'a,b\n1,2', 'no column arrival_timestamp, prompt_size, token_size'],
    ['an answer of nothing', `${head}\n0,2,0,0.5,1,100,0`, 'request 1 needs'],
    ['no number', `${head}\n0,2,0,soon,1,100,2`, 'arrival_timestamp is "soon"'],
  ])('is refused for %s', (_, text, says) => {
    expect(() => parseSplitwiseTrace(text, 't.csv')).toThrow(says);
  });
});

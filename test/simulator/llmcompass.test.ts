import { describe, expect, it } from 'vitest';
import { predictorOf } from '../../src/published/seeds/subjects.js';
import { ARCHITECTURES } from '../../src/simulator/price/llmcompass/architectures.js';
import { ProductTimes } from '../../src/simulator/price/llmcompass/matmul.js';
import { architectureOf, CompassPrice, NO_LAUNCHES } from '../../src/simulator/price/llmcompass/price.js';

const h100 = ARCHITECTURES['h100-sxm'];
const BANDWIDTH = 3352e9;
const PEAK = h100.cores * h100.lanes * 16 * 32 * 2 * h100.tensorHz;

describe('products by tiles and arrays', () => {
  const products = new ProductTimes(h100, BANDWIDTH);

  it('are bound by memory where there is one row, to the byte', () => {
    const bytes = 2 * (4096 + 4096 * 4096 + 4096);
    expect(products.seconds({ m: 1, n: 4096, k: 4096 })).toBeCloseTo(bytes / BANDWIDTH, 12);
  });

  it('are never faster than the arrays nor than memory, and near one of them where they are large', () => {
    for (const [m, n, k] of [
      [64, 4096, 4096],
      [2048, 12_288, 12_288],
      [8192, 8192, 8192],
    ]) {
      const seconds = products.seconds({ m, n, k });
      const least = Math.max((2 * m * n * k) / PEAK, (2 * (m * n + n * k + m * k)) / BANDWIDTH);
      expect(seconds).toBeGreaterThan(least);
      if (m > 2000) expect(seconds).toBeLessThan(1.5 * least);
    }
  });

  it('cost more on smaller arrays, which have to be filled as often', () => {
    const decode = new ProductTimes(ARCHITECTURES['spad-decode'], BANDWIDTH);
    const size = { m: 4096, n: 4096, k: 4096 };
    expect(decode.seconds(size)).toBeGreaterThan(1.5 * products.seconds(size));
  });
});

describe('the price of a step by operators', () => {
  const on = (id: string) => predictorOf('bloom-176b', id, { tensorParallel: 8 });
  const prompt = (tokens: number) => ({
    decodeRows: 0,
    decodeKeys: 0,
    prompts: [{ begin: 0, end: tokens }],
    logitRows: 1,
  });

  it('grows with the square of a long prompt, whose scores go through memory', () => {
    const price = new CompassPrice(on('h100-sxm'), NO_LAUNCHES);
    const [one, two] = [8192, 16_384].map((tokens) => price.seconds(prompt(tokens)));
    expect(two / one).toBeGreaterThan(2.3);
  });

  it('adds launches that nothing scales with', () => {
    const [with0, without] = [undefined, NO_LAUNCHES].map((each) => new CompassPrice(on('h100-sxm'), each));
    const added = (tokens: number): number => with0.seconds(prompt(tokens)) - without.seconds(prompt(tokens));
    expect(added(128)).toBeCloseTo(added(2048), 9);
  });

  it('is of chips whose cores are known', () => {
    expect(() => architectureOf('l40s')).toThrow('the cores of l40s are not known');
  });
});

import { describe, expect, it } from 'vitest';
import { randomAt } from '../../src/simulator/random.js';
import { beginSimulation, simulate } from '../../src/simulator/simulation.js';
import { recordOf } from '../../src/simulator/summary.js';
import { SimulationTally } from '../../src/simulator/tally.js';
import { metricsOf } from '../../src/traffic/metrics.js';
import { MeasureSamples } from '../../src/traffic/measure-samples.js';
import { cluster, geometric, poisson, pool, priceOf } from './support.js';

const percentiles = [50, 90, 99, 99.9];
const spec = cluster([pool({ count: 2, price: priceOf(0.004, 0.0003, 2e-6, 0.0001, 1e-7), blocks: 60 })]);
const requests = poisson(400, 20, 5, (index) => ({
  // One in ten leaves early, and one can never fit.
  promptTokens: index === 7 ? 5000 : 1 + (index % 90),
  outputTokens: geometric(40, 5, index),
  ...(index % 10 === 0 && { patience: 0.3 }),
}));

describe('a run summed up while it goes', () => {
  it('comes to what the record of every token comes to, to the bit, though no token is kept', () => {
    const tally = new SimulationTally();
    const lean = simulate(spec, requests, { keepTokens: false, onEnd: tally.onEnd });
    const found = tally.metrics(lean, percentiles);
    expect(() => lean.traces[0].tokens.all()).toThrow('not kept');
    const whole = metricsOf([recordOf(simulate(spec, requests))], { percentiles });
    expect(found).toEqual(whole);
    expect(whole.count).toMatchObject({ failed: 1 });
    expect(Math.min(whole.count.completed, whole.count.aborted, whole.wastedTokens)).toBeGreaterThan(4);
    expect(tally.exact).toBe(true);
  });

  it('counts the tokens of requests that a stopped run has not ended', () => {
    const tally = new SimulationTally();
    const [lean, full] = [
      beginSimulation(spec, requests, { keepTokens: false, onEnd: tally.onEnd }),
      beginSimulation(spec, requests),
    ];
    for (const run of [lean, full]) run.advance(500);
    const whole = metricsOf([recordOf(full.result())], { percentiles });
    expect(tally.metrics(lean.result(), percentiles)).toEqual(whole);
    expect(whole.count.interrupted).toBeGreaterThan(0);
  });

  it('has percentiles of gaps to 0.003 % where there are more than are kept', () => {
    const tally = new SimulationTally(0, 1000);
    const found = tally.metrics(simulate(spec, requests, { keepTokens: false, onEnd: tally.onEnd }), percentiles);
    const whole = metricsOf([recordOf(simulate(spec, requests))], { percentiles });
    expect(tally.exact).toBe(false);
    const [bins, kept] = [found.measures.itl!, whole.measures.itl!];
    bins.percentiles.forEach(([, ms], at) => expect(Math.abs(ms / kept.percentiles[at][1] - 1)).toBeLessThan(3.1e-5));
    expect(bins.mean / kept.mean).toBeCloseTo(1, 12);
    expect(bins.std / kept.std).toBeCloseTo(1, 9);
    expect({ ...found, measures: { ...found.measures, itl: undefined } }).toEqual({
      ...whole,
      measures: { ...whole.measures, itl: undefined },
    });
  });
});

describe('samples in bins', () => {
  it('stay within a bin of every quantile, over all magnitudes', () => {
    const values = Array.from({ length: 20_000 }, (_, at) => 10 ** (10 * randomAt(1, 'service', at) - 5));
    const samples = new MeasureSamples(100);
    values.forEach((value) => samples.add(value));
    const sorted = Float64Array.from(values).sort();
    const asked = [0.1, 1, 25, 50, 75, 99, 99.99];
    for (const [percent, found] of samples.summary(asked)!.percentiles) {
      // Neighbours are further apart than a bin is wide, so a quantile lies between the two around it.
      const place = (percent / 100) * (sorted.length - 1);
      expect(found).toBeGreaterThan(sorted[Math.floor(place)] * (1 - 2 ** -15));
      expect(found).toBeLessThan(sorted[Math.ceil(place)] * (1 + 2 ** -15));
    }
    expect(new MeasureSamples(3).summary(asked)).toBeUndefined();
  });

  it('take what is next to nothing and what is beyond all measure', () => {
    const samples = new MeasureSamples(0);
    [0, 0, 5, 1e12].forEach((value) => samples.add(value));
    const { percentiles: found, mean } = samples.summary([10, 67, 100])!;
    expect(found[0][1]).toBeLessThan(1e-5);
    expect(found[1][1]).toBeCloseTo(5, 3);
    expect(found[2][1]).toBeGreaterThan(1e9);
    expect(mean).toBeCloseTo(2.5e11 + 1.25, 1);
  });
});

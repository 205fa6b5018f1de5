import { describe, expect, it } from 'vitest';
import { judge, parseSlo } from '../../src/simulator/slo.js';
import { simulate } from '../../src/simulator/simulation.js';
import { overloaded } from '../../src/simulator/summary.js';
import { trial } from '../../src/simulator/trial.js';
import { cluster, constantPrice, poisson, pool } from './support.js';

const lengths = () => ({ promptTokens: 20, outputTokens: 4 });

describe('a trial', () => {
  const slo = parseSlo('ttft:p90:300,tbt:p99:150,e2e:p90:900');

  it.each([1, 5, 9, 10, 11, 30])('says of %i requests a second what a whole run says', async (rate) => {
    const machines = cluster([pool({ price: constantPrice(0.1), maxSequences: 4 })]);
    const requests = poisson(800, rate, 3, lengths);
    const { traces } = simulate(machines, requests);
    const whole = judge(slo, traces).every(({ met }) => met) && !overloaded(traces);
    expect((await trial(machines, requests, { slo })).met).toBe(whole);
  });

  it('is given up when too many have missed, long before its end', async () => {
    let priced = 0;
    const price = { seconds: () => (priced++, 0.1) };
    const machines = cluster([pool({ price, maxSequences: 4 })]);
    const requests = poisson(20_000, 100, 3, lengths);
    const { met, findings } = await trial(machines, requests, { slo });
    expect(met).toBe(false);
    expect(findings[0].found).toBe(Infinity);
    expect(priced).toBeLessThan(8000);
  });

  it('ends where its turn throws', async () => {
    const machines = cluster([pool({ price: constantPrice(0.1) })]);
    const stop = new Error('stop');
    const options = { turn: () => Promise.reject(stop) };
    await expect(trial(machines, poisson(5000, 5, 1, lengths), { slo }, options)).rejects.toBe(stop);
  });
});

import { describe, expect, it } from 'vitest';
import { whereaboutsOf } from '../../src/simulator/binds.js';
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

  it.each(['prefill', 'decode'] as const)(
    'says what a whole run says with first tokens at %s',
    async (firstTokenAt) => {
      const verdicts = new Set<boolean>();
      for (const rate of [3, 6, 12, 18, 30]) {
        const [price, linkBytesPerSecond] = [constantPrice(0.05), 4000];
        const machine = { price, maxSequences: 4, linkBytesPerSecond };
        const pools = [
          pool({ ...machine, name: 'p', role: 'prefill' }),
          pool({ ...machine, name: 'd', role: 'decode', count: 2 }),
        ];
        const transfer = { bytesPerToken: 10, latency: 0, mode: 'after', overlap: 0, layers: 4, shared: true } as const;
        const apart = cluster(pools, { transfer: { ...transfer, firstTokenAt } });
        const requests = poisson(400, rate, 5, lengths);
        const goal = parseSlo('ttft:p90:400,tbt:p90:130,e2e:p90:1500');
        const { traces } = simulate(apart, requests);
        // Where the time goes does not depend on where the first token counts.
        const where = (at: typeof firstTokenAt) =>
          whereaboutsOf(simulate(cluster(pools, { transfer: { ...transfer, firstTokenAt: at } }), requests));
        expect(where(firstTokenAt)).toEqual(where('prefill'));
        const whole = judge(goal, traces).every(({ met }) => met) && !overloaded(traces);
        expect([rate, (await trial(apart, requests, { slo: goal })).met]).toEqual([rate, whole]);
        verdicts.add(whole);
        for (const { tokens, transferred, ttft, request } of traces) {
          expect(tokens.all()).toHaveLength(4);
          if (firstTokenAt === 'decode') expect(tokens.first).toBe(transferred);
          else expect(tokens.first).toBeLessThan(transferred);
          expect(request.arrival + ttft).toBeCloseTo(tokens.all()[0], 9);
          expect(tokens.all()[1]).toBeGreaterThanOrEqual(transferred);
        }
      }
      expect(verdicts.size).toBe(2);
    },
  );

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

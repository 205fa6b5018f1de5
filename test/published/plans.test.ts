import { expect, it } from 'vitest';
import { aloneOnH100, cheapest } from '../../src/published/spad/systems.js';
import { resampled } from '../../src/simulator/load.js';
import { syntheticTrace } from '../../src/traffic/synthetic.js';

it('serves the loads of all seeds, with as many machines as the worst of them needs', async () => {
  const rows = syntheticTrace('code', 500, 0);
  const requests = Array.from({ length: 6 }, (_, seed) => resampled(rows, { rate: 12, seconds: 12, seed }));
  const alone = aloneOnH100();
  const machines = async (loads: typeof requests): Promise<number> => {
    const goal = { slo: 'spad:normal', requests: loads, alone, turn: () => Promise.resolve() };
    return (await cheapest('Sarathi', goal))!.roles.both!;
  };
  const each: number[] = [];
  for (const load of requests) each.push(await machines([load]));
  // The draws do differ.
  expect(new Set(each).size).toBeGreaterThan(1);
  expect(await machines(requests)).toBe(Math.max(...each));
});

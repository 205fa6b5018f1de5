import { describe, expect, it } from 'vitest';
import { bindOf, whereaboutsOf } from '../../src/simulator/binds.js';
import { simulate } from '../../src/simulator/simulation.js';
import { poolSummaries } from '../../src/simulator/summary.js';
import { cluster, constantPrice, pool } from './support.js';

const transfer = { bytesPerToken: 1000, latency: 0, mode: 'after', overlap: 0, layers: 1, shared: true } as const;

describe('what binds', () => {
  it('is a queue where requests wait longest, and says how many waited and how much of the cache was held', () => {
    const machine = pool({ price: constantPrice(1), maxSequences: 1, blocks: 10 });
    const requests = [0, 1, 2, 3].map((index) => ({ index, arrival: 0, promptTokens: 16, outputTokens: 2 }));
    const simulation = simulate(cluster([machine]), requests);
    // Each takes two steps, so they wait for 0, 2, 4 and 6 seconds.
    const where = whereaboutsOf(simulation);
    expect(where).toEqual({ queue: 3, prefill: 1, transfer: 0, decode: 1 });
    const [summary] = poolSummaries(simulation);
    expect(bindOf(where, [summary], ['both'])).toBe('queue');
    expect(summary.queue).toBeCloseTo((3 + 2 + 1 + 0) / 4, 9);
    expect(summary.cacheUse).toBeCloseTo(1.5 / 10, 9);
  });

  it('is the network where keys and values take longest', () => {
    const link = { price: constantPrice(0.1), linkBytesPerSecond: 1600 };
    const pools = [pool({ name: 'p', role: 'prefill', ...link }), pool({ name: 'd', role: 'decode', ...link })];
    const simulation = simulate(cluster(pools, { transfer }), [
      { index: 0, arrival: 0, promptTokens: 16, outputTokens: 3 },
    ]);
    const where = whereaboutsOf(simulation);
    expect(where.transfer).toBeCloseTo(10, 6);
    expect(bindOf(where, poolSummaries(simulation), ['prefill', 'decode'])).toBe('network');
  });

  it('is else what binds the machines of the longer phase', () => {
    const [summary] = poolSummaries(
      simulate(cluster([pool()]), [{ index: 0, arrival: 0, promptTokens: 16, outputTokens: 3 }]),
    );
    const pools = [
      { ...summary, binds: 'compute' as const },
      { ...summary, binds: 'memory' as const },
    ];
    expect(bindOf({ queue: 0, prefill: 2, transfer: 0, decode: 1 }, pools, ['prefill', 'decode'])).toBe('compute');
    expect(bindOf({ queue: 0, prefill: 1, transfer: 0, decode: 2 }, pools, ['prefill', 'decode'])).toBe('memory');
  });
});

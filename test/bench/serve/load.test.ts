import { describe, expect, test } from 'vitest';
import { readGoals, wrongGoal } from '../../../src/traffic/goodput.js';
import type { LoadDriver } from '../../../bench/serve/load/driver.js';
import type { RequestRecord } from '../../../src/traffic/record.js';
import { runLoad } from '../../../bench/serve/load/run-load.js';
import { metricsOf } from '../../../src/traffic/metrics.js';
import { vllmBlock } from '../../../bench/serve/report/vllm-block.js';
import type { PlannedRequest, Workload } from '../../../src/traffic/workload.js';
import { VirtualClock } from './virtual-clock.js';

const workload = (requests: readonly Partial<PlannedRequest>[]): Workload => ({
  seed: 0,
  sharedPrefix: 0,
  requests: requests.map((request, index) => ({ index, atMs: 0, promptTokens: 10, outputTokens: 3, ...request })),
});

/** A server with room for all: each first token after as many milliseconds as the prompt has tokens, then one every 5. */
function steady(clock: VirtualClock, failing: (request: PlannedRequest) => string | undefined = () => undefined) {
  const active = { now: 0, most: 0 };
  const driver: LoadDriver = {
    backend: 'test',
    prepare:
      (request) =>
      async ({ onTokens, signal }) => {
        active.most = Math.max(active.most, ++active.now);
        try {
          await clock.sleep(request.promptTokens, signal);
          const why = failing(request);
          if (why !== undefined) throw new Error(why);
          for (let token = 0; token < request.outputTokens; token++) {
            if (token > 0) await clock.sleep(5, signal);
            if (signal.aborted) throw new Error('aborted');
            onTokens(1);
          }
          return { promptTokens: undefined, outputTokens: undefined, finish: 'length' };
        } finally {
          active.now--;
        }
      },
  };
  return { driver, active };
}

const statuses = (requests: readonly RequestRecord[]): string[] => requests.map(({ status }) => status);

describe('a run', () => {
  test('known arrivals have known latencies, whatever the others do', async () => {
    const clock = new VirtualClock();
    const { driver } = steady(clock);
    // TTFT 1..100 ms, an arrival every 2 ms
    const requests = Array.from({ length: 100 }, (_, index) => ({ atMs: 2 * index, promptTokens: index + 1 }));
    const record = await clock.run(runLoad(workload(requests), driver, { clock }));
    for (const { index, arrivalsMs, sentMs } of record.requests) {
      expect(sentMs).toBe(2 * index);
      expect(arrivalsMs).toEqual([index + 1, index + 6, index + 11]);
    }
    expect(record.durationMs).toBe(2 * 99 + 110);

    const metrics = metricsOf([record], { percentiles: [50, 90, 99], goals: readGoals('ttft:30 tpot:5') });
    expect(metrics.measures.ttft).toMatchObject({ mean: 50.5, median: 50.5 });
    expect(metrics.measures.ttft!.percentiles.map(([, ms]) => ms)).toEqual([
      50.5,
      expect.closeTo(90.1),
      expect.closeTo(99.01),
    ]);
    expect(metrics.measures.tpot).toMatchObject({ mean: 5, std: 0 });
    expect(metrics.measures.itl).toMatchObject({ mean: 5, std: 0 });
    expect(metrics.measures.e2el).toMatchObject({ mean: 60.5 });
    expect(metrics).toMatchObject({ durationS: 0.308, inputTokens: 5050, outputTokens: 300, planned: 100 });
    expect(metrics.requestsPerS).toBeCloseTo(100 / 0.308);
    expect(metrics.goodPerS).toBeCloseTo(30 / 0.308);
    expect(metrics.outputTokensPerS).toBeCloseTo(300 / 0.308);
    expect(metrics.peakOutputTokensPerS).toBe(300);
    expect(metrics.lateness).toEqual({ median: 0, p99: 0 });
  });

  test('a limit on concurrency holds requests back, and how late they are is told', async () => {
    const clock = new VirtualClock();
    const { driver, active } = steady(clock);
    const record = await clock.run(runLoad(workload(Array(6).fill({})), driver, { clock, maxConcurrency: 2 }));
    expect(active.most).toBe(2);
    expect(record.requests.map(({ sentMs }) => sentMs)).toEqual([0, 0, 20, 20, 40, 40]);
    expect(metricsOf([record], { percentiles: [] })).toMatchObject({
      peakConcurrency: 2,
      lateness: { median: 20 },
      measures: { ttft: { mean: 10 } },
    });
  });

  test('failures and aborts are counted, and none is lost', async () => {
    const clock = new VirtualClock();
    const { driver } = steady(clock, ({ index }) => (index % 10 === 3 ? `no room for ${index}` : undefined));
    const requests = Array.from({ length: 50 }, (_, index): Partial<PlannedRequest> => ({
      atMs: index,
      ...(index % 10 === 4 ? { abort: { afterTokens: 2 } } : {}),
      ...(index % 10 === 5 ? { abort: { afterMs: 4 } } : {}),
      ...(index % 10 === 6 ? { abort: { afterMs: 1000 } } : {}), // comes too late
    }));
    const record = await clock.run(runLoad(workload(requests), driver, { clock }));
    const metrics = metricsOf([record], { percentiles: [] });
    expect(metrics.count).toEqual({ completed: 35, failed: 5, aborted: 10, interrupted: 0, unsent: 0 });
    expect(metrics.wastedTokens).toBe(5 * 2);
    expect(metrics.outputTokens).toBe(35 * 3);
    expect(record.requests[3]).toMatchObject({ status: 'failed', error: 'no room for 3', outputTokens: 0 });
    expect(record.requests[5]).toMatchObject({ status: 'aborted', endMs: 4 });
    expect(metrics.measures.ttft?.mean).toBe(10);
  });

  test('an answer without a token is no answer', async () => {
    const clock = new VirtualClock();
    const silent: LoadDriver = {
      backend: 'test',
      prepare: () => () => Promise.resolve({ promptTokens: 1, outputTokens: 0, finish: 'stop' }),
    };
    const record = await clock.run(runLoad(workload([{}]), silent, { clock }));
    expect(record.requests[0]).toMatchObject({ status: 'failed', error: 'it ended without a token' });
    expect(metricsOf([record], { percentiles: [99] }).measures).toEqual({
      ttft: undefined,
      tpot: undefined,
      itl: undefined,
      e2el: undefined,
    });
  });

  test.each([undefined, 2])('stopped, it keeps what it has (limit %s)', async (maxConcurrency) => {
    const clock = new VirtualClock();
    const { driver } = steady(clock);
    const stop = new AbortController();
    void clock.sleep(33).then(() => stop.abort());
    const requests = Array.from({ length: 10 }, (_, index) => ({ atMs: 10 * index }));
    const load = runLoad(workload(requests), driver, { clock, signal: stop.signal, maxConcurrency });
    const record = await clock.run(load);
    expect(record.interrupted).toBe(true);
    expect(statuses(record.requests)).toEqual(['completed', 'completed', 'interrupted', 'interrupted']);
    expect(metricsOf([record], { percentiles: [] }).count).toMatchObject({ completed: 2, interrupted: 2, unsent: 6 });
    expect(record.durationMs).toBe(33);
  });
});

describe('goals', () => {
  test('are read one by one or together', () => {
    expect(readGoals('tpot:50', readGoals('ttft:500'))).toEqual({ ttft: 500, tpot: 50 });
    expect(readGoals('ttft:500,e2el:5000')).toEqual({ ttft: 500, e2el: 5000 });
  });
  test.each(['itl:5', 'ttft', 'ttft:', 'ttft:x', 'ttft:0', 'ttft:5:6'])('%s is refused', (text) => {
    expect(readGoals(text)).toBeUndefined();
    expect(wrongGoal(`tpot:50,${text}`)).toBe(text);
  });
});

test('the block has the layout that is known from vLLM', async () => {
  const clock = new VirtualClock();
  const { driver } = steady(clock);
  const record = await clock.run(runLoad(workload([{}, { atMs: 500 }]), driver, { clock, maxConcurrency: 4 }));
  const metrics = metricsOf([record], { percentiles: [90, 99.9], goals: { ttft: 1 } });
  const block = vllmBlock(metrics, { measures: ['ttft', 'itl'], requestRate: 4, maxConcurrency: 4 });
  expect(block.split('\n').map((line) => line.trimEnd())).toEqual([
    '============ Serving Benchmark Result ============',
    'Successful requests:                     2',
    'Failed requests:                         0',
    'Maximum request concurrency:             4',
    'Request rate configured (RPS):           4.00',
    'Benchmark duration (s):                  0.52',
    'Total input tokens:                      20',
    'Total generated tokens:                  6',
    'Request throughput (req/s):              3.85',
    'Request goodput (req/s):                 0.00',
    'Output token throughput (tok/s):         11.54',
    'Peak output token throughput (tok/s):    6.00',
    'Peak concurrent requests:                1.00',
    'Total token throughput (tok/s):          50.00',
    '---------------Time to First Token----------------',
    'Mean TTFT (ms):                          10.00',
    'Median TTFT (ms):                        10.00',
    'P90 TTFT (ms):                           10.00',
    'P99.9 TTFT (ms):                         10.00',
    '---------------Inter-token Latency----------------',
    'Mean ITL (ms):                           5.00',
    'Median ITL (ms):                         5.00',
    'P90 ITL (ms):                            5.00',
    'P99.9 ITL (ms):                          5.00',
    '==================================================',
    '',
  ]);
});

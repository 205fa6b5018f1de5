import { describe, expect, test } from 'vitest';
import { draw } from '../../../bench/report/render.js';
import { metricsOf } from '../../../src/traffic/metrics.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import { policyFigure } from '../../../bench/serve/report/policy-figure.js';
import { batchTable, longPromptTable, policyTable } from '../../../bench/serve/report/tables.js';
import { serveRuns, type RunsOptions } from '../../../bench/serve/runs.js';
import { batchScenario } from '../../../bench/serve/scenarios/batch.js';
import { itlShare, longPromptScenario } from '../../../bench/serve/scenarios/long-prompt.js';
import { runOf, serveSchema } from '../../../bench/serve/schema.js';
import { stressChecks } from '../../../bench/serve/stress.js';
import { engineTarget } from '../../../bench/serve/targets/engine-target.js';
import { makeWorkload } from '../../../src/traffic/workload.js';
import { FakeEngine, type Pace } from './fake-engine.js';
import { VirtualClock } from './virtual-clock.js';

/** Fake engines of any policy, and those that were made. */
function fakes(clock: VirtualClock, pace: Partial<Pace> = {}) {
  const made: { policy: PolicyName | undefined; engine: FakeEngine }[] = [];
  const target = engineTarget(
    (policy) => {
      const engine = new FakeEngine(clock, pace, policy);
      made.push({ policy, engine });
      return Promise.resolve(engine.served);
    },
    { temperature: 1, ignoreEos: true },
  );
  return { made, target };
}

const options = (clock: VirtualClock, changes: Partial<RunsOptions> = {}): RunsOptions => ({
  target: fakes(clock).target,
  rounds: 1,
  seed: 1,
  warmup: 0,
  clock,
  workload: (seed) =>
    makeWorkload({
      count: 40,
      seed,
      traffic: {
        kind: 'drawn',
        arrivals: { kind: 'poisson', rate: 10 },
        input: { kind: 'uniform', low: 20, high: 200 },
        output: { kind: 'uniform', low: 5, high: 30 },
      },
      lengthScale: 1,
      sharedPrefix: 8,
      abortShare: 0,
    }),
  ...changes,
});

describe('policies side by side', () => {
  test('get the same prompts at the same times, in turns, each on a fresh engine', async () => {
    const clock = new VirtualClock();
    const { made, target } = fakes(clock);
    const policies = ['prefill-first', 'chunked'] as const;
    const runs = await clock.run(serveRuns(options(clock, { target, policies, rounds: 2 })));
    expect(made.map(({ policy }) => policy)).toEqual(['prefill-first', 'chunked', 'chunked', 'prefill-first']);
    expect(made.every(({ engine }) => engine.disposed)).toBe(true);
    expect(made[0].engine.prompts).toEqual(made[1].engine.prompts);
    expect(made[2].engine.prompts).toEqual(made[3].engine.prompts);
    expect(made[0].engine.prompts).not.toEqual(made[2].engine.prompts);
    const [first, second] = made[0].engine.prompts as number[][];
    expect(first.slice(0, 8)).toEqual(second.slice(0, 8));
    expect(first.slice(8, 20)).not.toEqual(second.slice(8, 20));
    expect(runs.map(({ policy, round }) => `${policy} ${round}`)).toEqual([
      ...['prefill-first 0', 'chunked 0', 'chunked 1', 'prefill-first 1'],
    ]);

    const shown = policies.map((policy) => ({
      policy,
      metrics: metricsOf(
        runs.filter((run) => run.policy === policy).map(({ record }) => record),
        { percentiles: [50, 90, 99], goals: { ttft: 300 } },
      ),
    }));
    const [whole, chunked] = shown.map(({ metrics }) => metrics.measures);
    const p99 = (summary: typeof whole.itl): number => summary!.percentiles[2][1];
    expect(p99(chunked.itl)).toBeLessThan(p99(whole.itl) / 1.5);
    const table = policyTable(shown);
    expect(table).toContain('goodput req/s');
    expect(table).toContain('80 of 80');

    const figure = policyFigure(shown, 'made up')!;
    const svg = await draw(figure);
    expect(svg).toContain('chunked');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);

    for (const run of runs) {
      const parsed = serveSchema.shape.runs.element.parse(runOf(run, { percentiles: [99] }));
      expect(parsed.figures.p99_ttft_ms).toBeGreaterThan(0);
      expect(parsed.requests).toHaveLength(40);
    }
  });

  test('warm-ups do not count and are of no prompt that does', async () => {
    const clock = new VirtualClock();
    const { made, target } = fakes(clock);
    const [run] = await clock.run(serveRuns(options(clock, { target, warmup: 8 })));
    expect(run.record.requests).toHaveLength(40);
    const prompts = made[0].engine.prompts.map(String);
    expect(prompts).toHaveLength(48);
    expect(new Set(prompts).size).toBe(48);
  });

  test('a run that is stopped keeps the runs before it', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const { target, made } = fakes(clock);
    const runs = await clock.run(
      serveRuns(
        options(clock, {
          target,
          policies: ['prefill-first', 'chunked', 'static'],
          signal: stop.signal,
          onProgress: ({ policy, done }) => policy === 'chunked' && done === 5 && stop.abort(),
        }),
      ),
    );
    expect(runs.map(({ policy, record }) => [policy, record.interrupted])).toEqual([
      ['prefill-first', false],
      ['chunked', true],
    ]);
    expect(made.every(({ engine }) => engine.disposed)).toBe(true);
  });

  test('an engine with one policy is not taken for several', async () => {
    const clock = new VirtualClock();
    const load = () => Promise.resolve({ ...new FakeEngine(clock).served, stats: undefined });
    const target = engineTarget(load, { temperature: 1, ignoreEos: true });
    await expect(serveRuns(options(clock, { target, policies: ['chunked'] }))).rejects.toThrow('has one policy');
  });
});

describe('stress', () => {
  const stressed = async (pace: Partial<Pace>, samples: readonly number[] = [100, 101, 101, 101]) => {
    const clock = new VirtualClock();
    const { target } = fakes(clock, pace);
    const workload = options(clock).workload;
    const [run] = await clock.run(
      serveRuns(
        options(clock, {
          target,
          workload: (seed) => {
            const made = workload(seed);
            return {
              ...made,
              requests: made.requests.map((request) => ({
                ...request,
                ...(request.index % 5 === 0 ? { abort: { afterTokens: 1 } } : {}),
              })),
            };
          },
        }),
      ),
    );
    const memory = samples.map((mib, at) => ({ done: 10 * (at + 1), rss: mib * 2 ** 20, heapUsed: 0 }));
    return stressChecks(run, run.stats, run.stats, memory, true).filter(({ passed }) => !passed);
  };

  test('passes when all is well', async () => expect(await stressed({})).toEqual([]));
  test('finds blocks that were not given back', async () => {
    expect(await stressed({ leak: true })).toEqual([
      expect.objectContaining({
        name: 'all cache blocks free',
        found: expect.stringContaining('992 of 1000') as string,
      }),
    ]);
  });
  test('finds a request that failed', async () => {
    expect(await stressed({ failing: 7 })).toEqual([
      expect.objectContaining({ name: 'no request failed', found: '1; the first: the device was lost' }),
    ]);
  });
  test('finds memory that grows', async () => {
    expect(await stressed({}, [100, 110, 120, 130])).toEqual([expect.objectContaining({ name: 'memory flat' })]);
  });
  test('takes what comes and goes for none', async () => expect(await stressed({}, [100, 140, 141, 104])).toEqual([]));
  test('finds a request that nobody knows of', () => {
    const record = { planned: 2, requests: [], durationMs: 1, interrupted: false };
    const checks = stressChecks(
      { policy: undefined, round: 0, record, stats: undefined },
      undefined,
      undefined,
      [],
      true,
    );
    expect(checks[0]).toMatchObject({ passed: false, found: expect.stringContaining('2 missing') as string });
  });
});

describe('scenarios', () => {
  test('long-prompt: chunks bound what decoding sequences wait', async () => {
    const clock = new VirtualClock();
    const { target } = fakes(clock, { contextLength: 4096, sequences: 9 });
    const outcomes = await clock.run(
      longPromptScenario({
        target,
        policies: ['prefill-first', 'chunked'],
        sequences: 8,
        promptTokens: 2000,
        repeats: 3,
        rounds: 2,
        seed: 1,
        clock,
      }),
    );
    const [whole, chunked] = outcomes;
    // A stall of 2000 ms beside one of a step of 100 prompt tokens.
    expect(Math.max(...whole.during)).toBe(2010);
    expect(Math.max(...chunked.during)).toBe(110);
    expect(whole.ttfts).toHaveLength(6);
    expect(new Set(whole.before)).toEqual(new Set([10]));
    expect(itlShare(outcomes, 'chunked', 'prefill-first')).toBeCloseTo(110 / 2010);
    expect(longPromptTable(outcomes)).toMatch(/chunked.* 110 /);
  });

  test('long-prompt needs the room', async () => {
    const clock = new VirtualClock();
    const how = { policies: [undefined], sequences: 2, promptTokens: 2000, repeats: 1, rounds: 1, seed: 1, clock };
    await expect(longPromptScenario({ target: fakes(clock).target, ...how })).rejects.toThrow('use model tiny-4k');
  });

  test('batch: steps that cost the same for all give as many times the tokens', async () => {
    const clock = new VirtualClock();
    const { target } = fakes(clock, { sequences: 16, promptTokenMs: 0 });
    const how = { sequences: 16, promptTokens: 4, outputTokens: 50, rounds: 2, seed: 1, clock };
    const outcome = await clock.run(batchScenario({ target, policy: 'chunked', ...how }));
    expect(outcome).toMatchObject({ ratio: 16, failed: 0 });
    expect(outcome!.one).toHaveLength(2);
    expect(batchTable([outcome!])).toContain('16.0');
  });

  test('batch: what fails is counted', async () => {
    const clock = new VirtualClock();
    const { target } = fakes(clock, { sequences: 16, failing: 40 });
    const how = { sequences: 16, promptTokens: 4, outputTokens: 5, rounds: 2, seed: 1, clock };
    const outcome = await clock.run(batchScenario({ target, policy: 'chunked', ...how }));
    expect(outcome).toMatchObject({ failed: 1, error: 'the device was lost' });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PaceLog } from '../../bench/pace/log.js';
import { plan } from '../../bench/plan.js';
import type { RoundMeasure } from '../../bench/rounds.js';
import { runBench, withSkipped } from '../../bench/runner.js';
import { jsonSchema, resultSchema, type BenchResult } from '../../bench/schema.js';
import { readResult, writeResult } from '../../bench/store.js';
import { begun, FakeEngine, idsOf, measureFake, OPTIONS } from './made-up.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });

describe('a run', () => {
  test('measures every point once and is then complete, to the schema', async () => {
    const result = await runBench(begun(), points, measureFake());
    expect(result.complete).toBe(true);
    expect(result.records.map(({ id }) => id)).toEqual(idsOf(points));
    expect(resultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  });

  test('every record says on what it was measured', async () => {
    const { records } = await runBench(begun(), points, measureFake());
    for (const record of records) {
      expect(record).toMatchObject({ ...begun().context });
      expect(Date.parse(record.date)).toBeGreaterThan(0);
    }
  });

  test('no prompt comes twice, so that no cached prefix can help', async () => {
    const engine = new FakeEngine();
    await runBench(begun(), points.slice(0, 6), measureFake(engine));
    const long = engine.prompts.filter((prompt) => prompt.length > 1).map(String);
    expect(new Set(long).size).toBe(long.length);
  });

  test('llama-bench rows run without the sampler, one token a step', async () => {
    const engine = new FakeEngine();
    await runBench(
      begun(),
      points.filter(({ id }) => id === 'tg4 @ d16'),
      measureFake(engine),
    );
    expect(engine.steps).toHaveLength((1 + 2) * 4);
    expect(engine.steps.every(({ sample }) => sample === false)).toBe(true);
    expect(engine.steps.slice(0, 4).map(({ sequences }) => sequences[0].context)).toEqual([16, 17, 18, 19]);
  });

  test('without timestamps operations are skipped, with why', async () => {
    const { complete, skipped, records } = await runBench(begun(), points, measureFake(new FakeEngine(false)));
    expect(complete).toBe(true);
    expect(records.some(({ kind }) => kind === 'operations')).toBe(false);
    expect(skipped[0]).toEqual({ id: 'operations p8', reason: 'Made-up GPU has no timestamp queries' });
  });

  test('any other failure ends it', async () => {
    const broken: RoundMeasure = (point) => ({
      ...measureFake()(point),
      run: () => Promise.reject(new Error('device lost')),
    });
    await expect(runBench(begun(), points, broken)).rejects.toThrow('device lost');
  });
});

describe('rounds', () => {
  const [first, second] = points.filter(({ kind }) => kind === 'ttft');
  /** Runs that take so long each, noted in order. */
  const timed = (msOf: (id: string) => number, order: string[] = []): RoundMeasure => {
    const measure = measureFake();
    return (point) => ({
      ...measure(point),
      run: async (index, signal) => {
        order.push(`${point.id} ${index}`);
        await new Promise((resolve) => setTimeout(resolve, msOf(point.id)));
        return measure(point).run(index, signal);
      },
    });
  };
  const counts = async (budget_s: number, msOf: (id: string) => number): Promise<BenchResult> => {
    const options = { ...OPTIONS, repetitions: 3, budget_s };
    return runBench(begun({ options }), [first, second], timed(msOf));
  };

  test('take one run of each point in turn, the cheap first', async () => {
    const order: string[] = [];
    await runBench(
      begun(),
      [second, first],
      timed(() => 0, order),
    );
    const round = (index: number): string[] => [`${first.id} ${index}`, `${second.id} ${index}`];
    expect(order).toEqual([...round(0), ...round(1), ...round(2)]);
  });

  test('are fewer where time is short, and then one run counts at least', async () => {
    const { records } = await counts(0.25, () => 60);
    const runs = records.map((each) => (each.kind === 'ttft' ? [each.warmup_ms.length, each.ttfts_ms.length] : []));
    expect(runs[0][1]).toBeGreaterThanOrEqual(1);
    expect(runs[0][0] + runs[0][1]).toBeLessThan(4);
  });

  test('leave out a point that would take longer than is left, and say so', async () => {
    // The second prompt is four times as long.
    const { records, skipped, complete } = await counts(0.5, () => 300);
    expect(complete).toBe(true);
    expect(records.map(({ id }) => id)).toEqual([first.id]);
    expect(skipped.map(({ id }) => id)).toEqual([second.id]);
    expect(skipped[0].reason).toMatch(/^would take about 1\.\d s, more than/);
  });
});

describe('a stopped run', () => {
  /** Stops before the run of that number, over all points. */
  const stopAfter = async (count: number): Promise<BenchResult> => {
    const path = join(folder, 'stopped.json');
    const aborter = new AbortController();
    const measure = measureFake();
    let runs = 0;
    const result = await runBench(
      begun(),
      points,
      (point) => ({
        ...measure(point),
        run: (index, signal) => {
          if (++runs === count) aborter.abort();
          return measure(point).run(index, signal);
        },
      }),
      { signal: aborter.signal, onRecord: (so) => writeResult(path, so) },
    );
    expect(await readResult(path)).toEqual(result);
    return result;
  };
  const runsOf = ({ runs = {} }: BenchResult): number =>
    Object.values(runs).reduce((sum, list) => sum + list.length, 0);

  test('keeps what it has, in the file too, and is marked incomplete', async () => {
    const result = await stopAfter(3);
    expect(result.complete).toBe(false);
    expect(result.records).toHaveLength(runsOf(result));
    expect(runsOf(result)).toBeGreaterThanOrEqual(2);
  });

  test('goes on with what is missing, and keeps the runs there were', async () => {
    const stopped = await stopAfter(points.length + 5);
    let runs = 0;
    const measure = measureFake();
    const result = await runBench(stopped, points, (point) => ({
      ...measure(point),
      run: (index, signal) => {
        runs++;
        return measure(point).run(index, signal);
      },
    }));
    expect(runs + runsOf(stopped)).toBe(3 * points.length);
    expect(result.complete).toBe(true);
    expect(result.runs).toBeUndefined();
    expect(result.records.map(({ id }) => id)).toEqual(idsOf(points));
  });

  test('keeps the pace around each run, and goes on with it', async () => {
    const path = join(folder, 'paced.json');
    const aborter = new AbortController();
    let taken = 0;
    const sample = () => {
      if (++taken === 4 * points.length + 13) aborter.abort();
      return Promise.resolve({ compute: taken });
    };
    const source = { kernels: { compute: 'k' }, sample, now: () => 0, each: true };
    const stopped = await runBench(begun(), points, measureFake(), {
      pace: PaceLog.of(source),
      signal: aborter.signal,
      onRecord: (so) => writeResult(path, so),
    });
    expect(await readResult(path)).toEqual(stopped);
    for (const [id, runs] of Object.entries(stopped.runs!)) expect(stopped.run_paces![id]).toHaveLength(runs.length);
    const result = await runBench(stopped, points, measureFake(), { pace: PaceLog.of(source) });
    expect(result.run_paces).toBeUndefined();
    // Samples before and after, of three runs the last two.
    const first = result.records.find(({ id }) => id === points[0].id)!;
    for (const paces of Object.values(first.paces_ms!)) {
      expect(paces).toHaveLength(2);
      expect(paces.every((ms) => ms > 0)).toBe(true);
    }
    expect(resultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  });

  test('without a pace of each run has none in its records', async () => {
    const log = PaceLog.of({
      kernels: { compute: 'k' },
      sample: () => Promise.resolve({ compute: 1 }),
      now: () => performance.now(),
      each: false,
    });
    const result = await runBench(begun(), points.slice(0, 3), measureFake(), { pace: log });
    expect(result.pace!.samples_ms.length).toBeGreaterThan(0);
    for (const record of result.records) expect(record).not.toHaveProperty('paces_ms');
  });

  test('goes on with results of which only records were kept', async () => {
    const { records } = await runBench(begun(), points.slice(0, 3), measureFake());
    const result = await runBench(begun({ records }), points, measureFake());
    expect(result.records.slice(0, 3)).toEqual(records);
    expect(result.records).toHaveLength(points.length);
  });

  test('progress counts only what is left to do', async () => {
    const stopped = await stopAfter(12);
    const totals = new Set<number>();
    await runBench(stopped, points, measureFake(), { onProgress: ({ total }) => totals.add(total) });
    expect([...totals]).toEqual([points.length * 3 - runsOf(stopped)]);
  });

  test('skipped points are noted once', () => {
    const skipped = [{ id: 'pp9999', reason: 'too long' }];
    expect(withSkipped(withSkipped(begun(), skipped), skipped).skipped).toEqual(skipped);
  });
});

describe('a file', () => {
  test('that is not there, not JSON or of another shape is refused in one sentence', async () => {
    await expect(readResult(join(folder, 'none.json'))).rejects.toThrow('there is no such file');
    const path = join(folder, 'other.json');
    await writeResult(path, { ...begun(), version: 99 } as never);
    await expect(readResult(path)).rejects.toThrow(/other\.json: is of version 99, .*use a newer one$/);
  });
});

test('the schema is to be had in a form for other languages', () => {
  expect(jsonSchema()).toMatchObject({ type: 'object' });
  expect(JSON.stringify(jsonSchema())).toContain('median_ttft_ms');
});

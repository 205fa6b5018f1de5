import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { repeat } from '../../bench/measure/target.js';
import { plan } from '../../bench/plan.js';
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
    const broken = () => Promise.reject(new Error('device lost'));
    await expect(runBench(begun(), points, broken)).rejects.toThrow('device lost');
  });
});

describe('repetitions', () => {
  const runs = async (ms: number, shareMs?: number): Promise<[number, number]> => {
    const run = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const { warmup, counted } = await repeat({ warmup: 1, repetitions: 3, shareMs }, run);
    return [warmup.length, counted.length];
  };

  test('come after warm-ups that do not count', async () => {
    expect(await runs(0)).toEqual([1, 3]);
    expect(await runs(0, 1000)).toEqual([1, 3]);
  });

  test('are fewer where time is short, and then one run counts at least', async () => {
    expect(await runs(30, 80)).toEqual([1, 1]);
    expect(await runs(10, 0)).toEqual([0, 1]);
  });
});

describe('a stopped run', () => {
  const stopAfter = async (count: number): Promise<BenchResult> => {
    const path = join(folder, 'stopped.json');
    const aborter = new AbortController();
    const measure = measureFake();
    const result = await runBench(
      begun(),
      points,
      (point, how) => {
        if (idsOf(points).indexOf(point.id) === count) aborter.abort();
        return measure(point, how);
      },
      { signal: aborter.signal, onRecord: (so) => writeResult(path, so) },
    );
    expect(await readResult(path)).toEqual(result);
    return result;
  };

  test('keeps what it has, in the file too, and is marked incomplete', async () => {
    const result = await stopAfter(3);
    expect(result.complete).toBe(false);
    expect(result.records.map(({ id }) => id)).toEqual(idsOf(points).slice(0, 3));
  });

  test('goes on with what is missing', async () => {
    const stopped = await stopAfter(3);
    const measured: string[] = [];
    const measure = measureFake();
    const result = await runBench(stopped, points, (point, how) => {
      measured.push(point.id);
      return measure(point, how);
    });
    expect(measured).toEqual(idsOf(points).slice(3));
    expect(result.complete).toBe(true);
    expect(result.records.slice(0, 3)).toEqual(stopped.records);
  });

  test('progress counts only what is left to do', async () => {
    const totals = new Set<number>();
    await runBench(await stopAfter(12), points, measureFake(), { onProgress: ({ total }) => totals.add(total) });
    expect([...totals]).toEqual([(points.length - 12) * 3]);
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
    await expect(readResult(path)).rejects.toThrow(/other\.json: "version": .*run "ridgepoint bench" again/);
  });
});

test('the schema is to be had in a form for other languages', () => {
  expect(jsonSchema()).toMatchObject({ type: 'object' });
  expect(JSON.stringify(jsonSchema())).toContain('median_ttft_ms');
});

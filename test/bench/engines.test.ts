import { describe, expect, test } from 'vitest';
import { enginesFor } from '../../bench/engines.js';
import { plan, type BenchPoint } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import { resultSchema } from '../../bench/schema.js';
import { begun, idsOf, measureFake, OPTIONS } from './made-up.js';

const limits = { contextLength: 256, kvTokens: 4096, sequences: 32 };
const pointsOf = (batches: number[]): BenchPoint[] => plan({ ...OPTIONS, batches }, limits).points;
const shares = (batches: number[], isCpu = false) =>
  enginesFor(pointsOf(batches), batches, isCpu).map(({ sequences, points }) => ({ sequences, ids: idsOf(points) }));

describe('engines of a benchmark', () => {
  test('are one for few sequences, of which one alone is measured, and one for more', () => {
    const [few, many, ...others] = shares([1, 2, 8, 32]);
    expect(others).toEqual([]);
    expect([few.sequences, many.sequences]).toEqual([2, 32]);
    expect(many.ids.length).toBeGreaterThan(0);
    expect(many.ids.every((id) => /^(tpot|operations) .*b(8|32)\b/.test(id))).toBe(true);
    expect(few.ids.some((id) => / b(8|32)\b/.test(id))).toBe(false);
    expect(few.ids).toContain('ttft p8');
    expect([...few.ids, ...many.ids].sort()).toEqual(idsOf(pointsOf([1, 2, 8, 32])).sort());
  });

  test('are one on a CPU driver, and where batches are of one kind', () => {
    expect(shares([1, 8], true)).toEqual([{ sequences: 8, ids: idsOf(pointsOf([1, 8])) }]);
    expect(shares([1, 4])).toEqual([{ sequences: 4, ids: idsOf(pointsOf([1, 4])) }]);
    expect(shares([8, 32])).toEqual([{ sequences: 32, ids: idsOf(pointsOf([8, 32])) }]);
  });

  test('make one result together, which can be stopped in between and gone on with', async () => {
    const batches = [1, 8];
    const order = pointsOf(batches);
    const [few, many] = enginesFor(order, batches, false);
    const half = await runBench(begun(), few.points, measureFake(), {}, { order, more: true });
    expect(half.complete).toBe(false);
    expect(half.runs).toEqual({});
    expect(half.records.map(({ id }) => id)).toEqual(idsOf(few.points));
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done > 0) stop.abort();
    };
    const stopped = await runBench(
      half,
      many.points,
      measureFake(),
      { onProgress, signal: stop.signal },
      { order, more: false },
    );
    expect(stopped.complete).toBe(false);
    expect(Object.keys(stopped.runs!).length).toBe(1);
    expect(idsOf(many.points)).toContain(Object.keys(stopped.runs!)[0]);
    const whole = await runBench(stopped, many.points, measureFake(), {}, { order, more: false });
    expect(whole.complete).toBe(true);
    expect(whole.runs).toBeUndefined();
    expect(whole.records.map(({ id }) => id)).toEqual(idsOf(order));
    expect(resultSchema.parse(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });

  test('keep what was begun of the others', async () => {
    const batches = [1, 8];
    const order = pointsOf(batches);
    const [few, many] = enginesFor(order, batches, false);
    const runs = { [many.points[0].id]: [] };
    const half = await runBench({ ...begun(), runs }, few.points, measureFake(), {}, { order, more: true });
    expect(half.runs).toEqual(runs);
  });
});

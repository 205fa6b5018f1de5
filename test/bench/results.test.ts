import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compareResults } from '../../bench/compare/results/compare-results.js';
import { ratioOf } from '../../bench/compare/results/ratio.js';
import { resultsCsv, resultsText } from '../../bench/compare/results/results-text.js';
import { underRoofs } from '../../bench/compare/results/roofs.js';
import { runtimeOf } from '../../bench/context.js';
import { parseResult } from '../../bench/read-result.js';
import { plan } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import type { BenchRecord, BenchResult } from '../../bench/schema.js';
import { writeResult } from '../../bench/store.js';
import { compareSeveral } from '../../src/cli/commands/compare/several.js';
import { begun, measureFake, OPTIONS } from './made-up.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-results-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
const own = await runBench(begun(), points, measureFake());

/** The same where everything takes so many times as long, measured with something else. */
function times(factor: number, changes: Partial<BenchResult['context']> = {}): BenchResult {
  const scaled = (samples: readonly number[]): number[] => samples.map((each) => factor * each);
  const records = own.records.map((record): BenchRecord => {
    if (record.kind === 'ttft') return { ...record, ttfts_ms: scaled(record.ttfts_ms) };
    if (record.kind === 'tpot') return { ...record, tpots_ms: scaled(record.tpots_ms) };
    return record.kind === 'llama-bench' ? { ...record, samples_ns: scaled(record.samples_ns) } : record;
  });
  return { ...own, records, context: { ...own.context, ...changes } };
}

const browser = times(2, { runtime: 'Chrome 156', node: undefined, dawn: undefined, driver: 'Chrome 156' });

describe('a ratio', () => {
  const slow = [20, 22, 24, 21, 23];
  const fast = [10, 11, 12, 10.5, 11.5];

  test('is that of medians, within an interval that is the same each time', () => {
    const ratio = ratioOf([[slow, fast]], 1)!;
    expect(ratio.value).toBe(2);
    expect(ratio.low!).toBeLessThan(2);
    expect(ratio.high!).toBeGreaterThan(2);
    expect(ratio.high! - ratio.low!).toBeLessThan(0.8);
    expect(ratioOf([[slow, fast]], 1)).toEqual(ratio);
  });

  test('of several points is their geometric mean; of one repetition it has no interval; of a 0 there is none', () => {
    expect(
      ratioOf(
        [
          [slow, fast],
          [fast, slow],
        ],
        1,
      )!.value,
    ).toBeCloseTo(1, 12);
    expect(ratioOf([[[6], [3]]], 1)).toEqual({ value: 2 });
    expect(ratioOf([[[6], [0]]], 1)).toBeUndefined();
  });
});

describe('results beside each other', () => {
  const compared = compareResults([
    { name: 'node', result: own },
    { name: 'browser', result: browser },
    { name: 'int8', result: times(0.5, { dtype: 'int8-g32' }) },
  ]);

  test('have every point as multiples of the first', () => {
    expect(compared.points.map(({ id }) => id)).toEqual(expect.arrayContaining(['ttft p8', 'tpot c16 b2 g4', 'pp32']));
    for (const { cells } of compared.points) {
      expect(cells.map((cell) => cell!.ratio?.value.toFixed(6))).toEqual([undefined, '2.000000', '0.500000']);
    }
    for (const { cells } of compared.measures) expect(cells[1]!.ratio.value).toBeCloseTo(2, 12);
  });

  test('say where they were measured, and what is unlike', () => {
    const differing = compared.conditions.filter(({ differs }) => differs);
    expect(differing.map(({ name, isWork }) => `${name} ${isWork}`)).toEqual([
      'driver false',
      'runtime false',
      'weights true',
    ]);
    const text = resultsText(compared);
    expect(text).toContain('Unlike conditions: weights.');
    expect(text).toMatch(/\| runtime: differs +\| node 20\.0\.0, webgpu 0\.0\.0 +\| Chrome 156 +\|/);
    expect(text).toMatch(/\| ttft p8 .*\| +2\.00 \(/);
  });

  test('are a table for other programs, a line a point and result', () => {
    const [head, ...lines] = resultsCsv(compared).trim().split('\n');
    expect(head).toBe('result,adapter,driver,measure,point,runs,median_ms,ratio,low,high');
    expect(lines).toHaveLength(3 * compared.points.length);
    expect(lines.filter((line) => line.startsWith('browser,Made-up GPU,Chrome 156,ttft,ttft p8,2,'))).toHaveLength(1);
  });

  test('are refused by name where nothing is common, also on the command line', async () => {
    const apart = {
      ...own,
      records: own.records.map((record) => ({ ...record, id: `other ${record.id}`, n_prompt: 7 })),
    };
    const [first, second, third] = ['first.json', 'second.json', 'apart.json'].map((name) => join(folder, name));
    await writeResult(first, own);
    await writeResult(second, browser);
    await writeResult(third, apart);
    await expect(compareSeveral([first, second, third], {})).rejects.toThrow(
      'apart: has no point in common with first; measure both with the same prompts, contexts and batches',
    );
    let text = '';
    expect(await compareSeveral([first, second], { json: true, write: (said) => (text = said) })).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      results: ['first', 'second'],
      measures: [{ measure: 'ttft' }, {}, {}, {}],
    });
    await expect(compareSeveral([first, second], { failAbove: 0.1 })).rejects.toThrow('is for one result');
  });
});

test('roofs are those that results bring along, that are known here, or of data sheets', () => {
  const ceilings = { read_bytes_per_second: 1e9, f32_flops_per_second: 1e10 };
  const listed = { ...own, context: { ...own.context, adapter: 'NVIDIA L4' } };
  const known = { ...own.context, ceilings: { readBytesPerSecond: 2e9, f32FlopsPerSecond: 3e10 } };
  const named = [{ ...own, ceilings }, listed, own].map((result, at) => ({ name: `${at}`, result }));
  expect(underRoofs(named, []).map(({ roof }) => roof?.source)).toEqual([
    'measured with it',
    expect.stringMatching(/^data sheet of .*L4/),
    undefined,
  ]);
  const [, , last] = underRoofs(named, [known as never]);
  expect(last.roof).toMatchObject({ flops: 3e10, bandwidth: 2e9 });
  const [prefill, decode] = last.reached;
  expect([prefill.phase, decode.phase]).toEqual(['prefill', 'decode']);
  expect(prefill.intensity).toBeGreaterThan(decode.intensity);
});

test('a result of a browser is one, and so is one from before runtimes were said', () => {
  const written = { ...browser, host: { os: 'Linux', cpu: 'unknown', threads: 2 } };
  expect(parseResult(JSON.stringify(written), 'browser.json').context.runtime).toBe('Chrome 156');
  const old = parseResult(JSON.stringify(own), 'old.json');
  expect(runtimeOf(old.context)).toBe('node 20.0.0, webgpu 0.0.0');
  expect(() => parseResult('null', 'null.json')).toThrow(/^null\.json: .*run "ridgepoint bench" again$/);
});

import { expect, test } from 'vitest';
import { plan } from '../../bench/plan.js';
import { runBench } from '../../bench/runner.js';
import type { LlamaBenchRecord } from '../../bench/schema.js';
import { csv } from '../../bench/tables/csv.js';
import { llamaBenchTable, testOf } from '../../bench/tables/llama-bench.js';
import { figure, markdownPercent, signedPercent } from '../../bench/tables/markdown.js';
import { overview } from '../../bench/tables/overview.js';
import { progressText } from '../../src/cli/terminal/progress.js';
import { begun, measureFake, OPTIONS } from './made-up.js';

const row = (test: Pick<LlamaBenchRecord, 'n_prompt' | 'n_gen' | 'n_depth'>, avg_ts: number): LlamaBenchRecord => ({
  ...begun().context,
  date: begun().date,
  kind: 'llama-bench',
  id: testOf(test),
  ...test,
  batch: 1,
  warmup_ns: [],
  avg_ns: 1,
  stddev_ns: 0,
  avg_ts,
  stddev_ts: 0.456,
  samples_ns: [1],
  samples_ts: [avg_ts],
});

test('rows print as llama-bench prints them', () => {
  const model = { ...begun().model, name: 'llama 7B', weight_bytes: 3.56 * 2 ** 30, parameters: 6.74e9 };
  const records = [
    row({ n_prompt: 512, n_gen: 0, n_depth: 0 }, 7100.001),
    row({ n_prompt: 0, n_gen: 128, n_depth: 512 }, 131.234),
  ];
  expect(llamaBenchTable(begun({ model, records }))).toBe(
    [
      '| model        |     size | params | backend | ngl |         test |            t/s |',
      '| ------------ | -------: | -----: | ------- | --: | -----------: | -------------: |',
      '| llama 7B F16 | 3.56 GiB | 6.74 B | WebGPU  |   3 |        pp512 | 7100.00 ± 0.46 |',
      '| llama 7B F16 | 3.56 GiB | 6.74 B | WebGPU  |   3 | tg128 @ d512 |  131.23 ± 0.46 |',
    ].join('\n'),
  );
});

test('a driver that runs on the CPU has threads in place of layers', () => {
  const context = { ...begun().context, adapter: 'llvmpipe (LLVM)' };
  const table = llamaBenchTable(begun({ context, records: [row({ n_prompt: 1, n_gen: 0, n_depth: 0 }, 1)] }));
  expect(table).toContain('| threads |');
  expect(table).toContain('|       2 |');
});

test('names of tests', () => {
  expect(testOf({ n_prompt: 512, n_gen: 128, n_depth: 0 })).toBe('pp512+tg128');
  expect(testOf({ n_prompt: 0, n_gen: 32, n_depth: 0 })).toBe('tg32');
  expect(testOf({ n_prompt: 64, n_gen: 0, n_depth: 512 })).toBe('pp64 @ d512');
});

test('the overview has a table for each part, and says what was left out', async () => {
  const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
  const skipped = [{ id: 'pp9999', reason: 'needs 9999 positions, the context is 256' }];
  const text = overview(await runBench(begun({ skipped }), points, measureFake()));
  expect(text.match(/^## .*/gm)).toEqual([
    '## Prefill, end to end',
    '## Decode, end to end',
    '## Single steps without tokenisation and sampling, as llama-bench measures',
    '## GPU time by operation, all layers together',
    '## Skipped',
  ]);
  expect(text).toContain('- pp9999: needs 9999 positions');
  expect(text).not.toContain('incomplete');
  expect(overview(begun())).toContain('This run is incomplete');
  // All lines of a table are equally long.
  const tables = text.split('\n\n').filter((part) => part.startsWith('|'));
  for (const table of tables) expect(new Set(table.split('\n').map((line) => line.length)).size).toBe(1);
});

test('CSV has a line a record, and quotes what must be', async () => {
  const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
  const context = { ...begun().context, adapter: 'A "GPU", made up' };
  const [head, ...lines] = csv(await runBench(begun({ context }), points, measureFake()))
    .trimEnd()
    .split('\n');
  expect(head.split(',').slice(0, 4)).toEqual(['kind', 'id', 'adapter', 'driver']);
  expect(lines).toHaveLength(points.length);
  expect(lines[0]).toMatch(/^ttft,ttft p8,"A ""GPU"", made up",/);
});

test('figures show three digits or more', () => {
  expect([1234.5, 12.345, 1.2345, 0.12345, 0, undefined, NaN].map(figure)).toEqual([
    ...['1235', '12.3', '1.23', '0.123', '0.00', '-', '-'],
  ]);
  expect(markdownPercent(0.1234)).toBe('12.3 %');
  expect(signedPercent(0.1234)).toBe('+12.3 %');
  expect(signedPercent(-0.1)).toBe('-10.0 %');
});

test('progress says how long it will take', () => {
  expect(progressText('pp8', 0, 20, 5)).toBe('0 of 20 runs (0 %): pp8');
  expect(progressText('pp8', 5, 20, 10_000)).toBe('5 of 20 runs (25 %), 30 s left: pp8');
  expect(progressText('pp8', 1, 20, 10_000)).toBe('1 of 20 runs (5 %), 3 min 10 s left: pp8');
});

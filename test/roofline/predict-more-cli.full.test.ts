import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, cli } from '../cli/support.js';

const cache = mkdtempSync(join(tmpdir(), 'ridgepoint-predict-more-'));
/** A cache folder of its own, so that a calibration of the machine at hand does not show. */
const predict = (...args: string[]) => cli(['predict', ...args], { env: { XDG_CACHE_HOME: cache } });

beforeAll(build);
afterAll(() => rmSync(cache, { recursive: true, force: true }));

interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  readonly [key: string]: unknown;
}

async function json(...args: string[]): Promise<Answer> {
  const { stdout, stderr, code } = await predict(...args, '--json');
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout) as Answer;
}

describe('questions of ridgepoint predict', () => {
  test.each([
    ['chunk', ['--model', 'llama-3.1-8b', '--decoding', '4', '--chunk', '0,256']],
    ['speculation', ['--model', 'llama-3.1-70b', '--tp', '4', '--draft', 'llama-3.1-8b', '--batch', '1,8']],
    ['crossover', ['--batch', 'groqrack', 'a100-80', '--prompt', '1024']],
    ['cost', ['--per-token', '--hardware', 'h100-sxm,l40s', '--usd-per-hour', '2.5,0.9']],
  ])('%s answers in text, CSV and JSON', async (name, args) => {
    const text = await predict(name, ...args);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain(args[0] === '--model' ? args[1] : 'llama-2-7b');
    expect(text.stdout).toContain('efficiencies');
    const { rows } = await json(name, ...args);
    expect((await predict(name, ...args, '--csv')).stdout.trim().split('\n')).toHaveLength(rows.length + 1);
    expect((await predict(name, '--help')).stdout).toMatch(/--prompt/);
  });

  test('--grid --against draws both maps, and gives every cell to programs', async () => {
    const args = ['--hardware', 'spad-decode', '--against', 'h100', '--grid', '--model', 'bloom-176b', '--tp', '8'];
    const axes = ['--batch', '1,64', '--prompt', '64,4096'];
    const { stdout, code } = await predict(...args, ...axes);
    expect(code).toBe(0);
    expect(stdout).toMatch(/prefill, \d\.\d\d on average\nbatch +64 +4096\n/);
    expect(stdout).toMatch(/decode, .*\n.*\n +1 .*\n +64 +\d\.\d\d +-\n/);
    const { rows, mean_ratio } = await json(...args, ...axes);
    expect(rows).toHaveLength(8);
    expect(rows.filter(({ fits }) => fits === false)).toHaveLength(2);
    expect(Object.keys(mean_ratio as object)).toEqual(['prefill', 'decode']);
  });

  test('crossover by batch names the one that is overtaken and when', async () => {
    const found = await json('crossover', '--batch', 'a100-80,groqrack', '--prompt', '1024', '--to', '64');
    expect(found).toMatchObject({ ahead_at_batch_1: 'groqrack', hardware: ['a100-80', 'groqrack'] });
    expect(found.overtaken_at_batch).toBeGreaterThan(1);
    expect((await json('crossover', '--batch', '2', '--output', '4')).batch).toBe(2);
  });

  test('sweeps keep ITL, what binds and what was assumed', async () => {
    const { rows, efficiencies } = await json('--batch', '1,64', '--weight-dtype', 'f16,int8', '--cached', '100');
    for (const row of rows) {
      expect(row.itl_last_ms as number).toBeGreaterThan(row.itl_first_ms as number);
      expect(row).toMatchObject({ decode_bottleneck: 'memory', cached_tokens: 100 });
      expect(row.ttft_share as number).toBeCloseTo((row.ttft_ms as number) / (row.e2e_ms as number), 9);
    }
    expect(Object.keys((efficiencies as Record<string, object>)['h100-sxm'])).toEqual(['f16', 'int8']);
  });

  test('what TTFT is of a request stands in the answer', async () => {
    expect((await predict('--cached', '500')).stdout).toMatch(/500 prompt tokens cached[^]*TTFT is \d+\.\d % of it/);
  });

  test('a price that is not known is asked for, not invented', async () => {
    const { stdout } = await predict('cost', '--per-token', '--hardware', 'spad-decode');
    expect(stdout).toMatch(/no price known \(--usd-per-hour\), 507 W/);
    const { rows } = await json('cost', '--per-token', '--hardware', 'spad-decode', '--watts', '400');
    expect(rows[0]).toMatchObject({ usd_per_million_output_tokens: null });
    expect(rows[0].joules_per_output_token).toBeGreaterThan(0);
  });

  test.each([
    [['--grid'], /--grid needs --against/],
    [['--against', 'h100'], /--against must be given together with --grid/],
    [['--cached', '512'], /--cached must be less than the prompt of 512 tokens/],
    [['crossover', '--cached', '10', '--from', '10'], /--from must be more than the 10 tokens that are cached/],
    [['crossover', '--batch', 'h100', 'a100', 't4'], /--batch must be a number of sequences, or two of "predict list"/],
    [['crossover', '--batch', 'h100', '3'], /--batch must be a number of sequences, or two/],
    [['crossover', '--batch', 'h100', 'a100', '--hardware', 't4'], /--hardware and two platforms at --batch/],
    [['crossover', '--batch', 'h100', 'x100'], /hardware "x100" is not known/],
    [['chunk', '--chunk', '-1'], /--chunk must be a whole number of at least 0/],
    [['speculation', '--acceptance', '70'], /--acceptance must be a share from 0 to 1/],
    [['speculation', '--draft', 'llama-3.1-8b'], /--draft llama-3.1-8b has 128256 tokens and llama-2-7b 32000/],
    [['cost', '--hardware', 'h100'], /--hardware needs --per-token/],
    [['cost', '--engine', 'none'], /--engine needs --per-token/],
    [['cost', '--per-token', '--memory-type', 'hbm3'], /--memory-type is about chips/],
    [['cost', '--per-token', '--usd-per-hour', '1,2'], /--usd-per-hour takes a number for each of the 1/],
    [['cost', '--per-token', '--watts', '0'], /--watts must be watts, above 0/],
  ])('%j is wrong usage, in one sentence', async (args, message) => {
    const { code, stderr, stdout } = await predict(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

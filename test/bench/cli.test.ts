import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readResult } from '../../bench/store.js';
import { build, cli, Scratch } from '../cli/support.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';

const scratch = new Scratch();
/** The fastest of the adapters is enough: what is measured here is the harness. */
const adapter = adapters[0];
const env = { XDG_CACHE_HOME: scratch.path };
const FEW = ['--repetitions', '1', '--warmup', '1', '--gen', '3', '--contexts', '4', '--batches', '1'];

beforeAll(build);
afterAll(() => scratch.remove());

describe(`on ${adapter}`, () => {
  test('bench, compare with a report, and the check of its error', async () => {
    const measured = await cli(['bench', '--adapter', adapter, '--prompts', '8', ...FEW, '--format', 'json'], { env });
    expect(measured.code, measured.stderr).toBe(0);
    const result = await readResult(join(scratch.path, 'ridgepoint', 'bench', 'latest.json'));
    expect(JSON.parse(measured.stdout)).toEqual(result);
    expect(result.complete).toBe(true);
    expect(result.records.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['ttft p8', 'tpot c4 b1 g3', 'pp8', 'tg3 @ d4']),
    );
    const ttft = result.records.find((record) => record.kind === 'ttft')!;
    expect(ttft.prompt).toBe('text');
    expect(ttft.median_ttft_ms).toBeGreaterThan(0);
    expect(ttft.warmup_ms).toHaveLength(1);

    // No calibration is there, and no catalogue lists a software driver.
    const without = await cli(['compare'], { env });
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('run "ridgepoint calibrate"');

    const page = join(scratch.path, 'report.html');
    const figures = join(scratch.path, 'figures');
    const options = ['--hardware', 'l4', '--report', page, '--svg', figures, '--fail-above', '1%'];
    const compared = await cli(['compare', ...options], { env });
    expect(compared.code).toBe(1);
    expect(compared.stderr).toContain('TTFT is predicted with a MAPE of');
    expect(compared.stdout).toContain('## Sweep points');
    expect(readFileSync(page, 'utf8')).toContain('</html>');
    expect(existsSync(join(figures, 'request.svg'))).toBe(true);
  });

  test.runIf(isFull)('profile writes a trace, and says where there is no prediction', async () => {
    const file = join(scratch.path, 'trace.json');
    const args = ['profile', '--adapter', adapter, '--prompt', '8', '--decode', '2', '--output', file];
    const { code, stdout, stderr } = await cli(args, { env });
    if (code !== 0) {
      expect(stderr).toContain('has no timestamp queries');
      return;
    }
    expect(stdout).toContain('## Prefill of 8 tokens');
    expect(stderr).toContain('no prediction: ');
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { name: string }[] };
    expect(traceEvents.map(({ name }) => name)).toEqual(expect.arrayContaining(['prefill 8', 'decode 2', 'lm_head']));
  });
});

test('options out of range are refused before anything is loaded', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await cli(args, { env });
    expect(code).toBe(2);
    return stderr;
  };
  expect(await refused('bench', '--batches', '1,64')).toContain('--batches must be from 1 to 32');
  expect(await refused('bench', '--prompts', 'long')).toContain('--prompts must be whole numbers with commas');
  expect(await refused('bench', '--browser', '/none/chrome')).toContain('--browser /none/chrome: is no program');
  expect(await refused('compare', join(scratch.path, 'none.json'))).toContain('there is no such file');
});

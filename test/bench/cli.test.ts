import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readResult } from '../../bench/store.js';
import { build, cli, Scratch } from '../cli/support.js';
import { adapters } from '../support/adapters.js';

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

  test('Ctrl-C leaves a file that --resume goes on with', async () => {
    const file = join(scratch.path, 'stopped.json');
    const only = ['--only', 'llama-bench', '--prompts', '4,5,400', '--repetitions', '40', '--contexts', '0'];
    const args = ['bench', '--adapter', adapter, ...only, '--gen', '2', '--output', file];
    const stopped = await cli(args, {
      env,
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(file)) return;
          clearInterval(timer);
          child.kill('SIGINT');
        }, 5);
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    const before = await readResult(file);
    expect(before.complete).toBe(false);
    expect(before.records.length).toBeGreaterThan(0);
    const runs = Object.values(before.runs ?? {}).map(({ length }) => length);
    expect(runs).toHaveLength(before.records.length);
    expect(Math.min(...runs)).toBeLessThan(41);

    // The rest is quick if it repeats less.
    writeFileSync(file, JSON.stringify({ ...before, options: { ...before.options, repetitions: 1, warmup: 0 } }));
    const resumed = await cli(['bench', '--adapter', adapter, '--resume', file], { env });
    expect(resumed.code, resumed.stderr).toBe(0);
    const after = await readResult(file);
    expect(after.complete).toBe(true);
    expect(after.records.map(({ id }) => id)).toEqual(['pp4', 'pp5', 'pp400', 'tg2']);
    const counted = after.records.map((each) => (each.kind === 'llama-bench' ? each.samples_ns.length : 0));
    expect(Math.max(...counted)).toBe(Math.max(...runs));

    const other = await cli(['bench', '--adapter', adapter, '--dtype', 'f32', '--resume', file], { env });
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('resume with the same model and adapter');
  });

  test('profile writes a trace, and says where there is no prediction', async () => {
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
  expect(await refused('compare', join(scratch.path, 'none.json'))).toContain('there is no such file');
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, cli, root } from '../cli/support.js';
import { calibrationKey } from '../../src/roofline/hardware/calibration.js';
import { calibration } from './calibration.js';
import { chosen, isFull } from '../support/scale.js';

const cache = mkdtempSync(join(tmpdir(), 'ridgepoint-predict-'));
/** A cache folder of its own, so that a calibration of the machine at hand does not show. */
const predict = (...args: string[]) => cli(['predict', ...args], { env: { XDG_CACHE_HOME: cache } });

beforeAll(build);
afterAll(() => rmSync(cache, { recursive: true, force: true }));

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await predict(...args, '--json');
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('ridgepoint predict', () => {
  test('without options predicts Llama-2-7B on an H100, with the efficiencies it assumes', async () => {
    const { stdout, code } = await predict();
    expect(code).toBe(0);
    for (const part of ['llama-2-7b on NVIDIA H100 SXM', 'TTFT', 'TPOT', 'idle compute', 'matmul-many', 'Vidur']) {
      expect(stdout).toContain(part);
    }
  });

  test('--json has every figure with its unit', async () => {
    const found = await json('--batch', '8', '--weight-dtype', 'int8');
    expect(found).toMatchObject({ model: 'llama-2-7b', hardware: 'h100-sxm', batch: 8, weight_dtype: 'int8' });
    for (const key of ['ttft_ms', 'tpot_ms', 'e2e_ms', 'tokens_per_second', 'peak_flops_per_second']) {
      expect(found[key], key).toBeGreaterThan(0);
    }
    expect(Object.keys(found.efficiencies as object)).toContain('attention-decode');
  });

  test('lists make a sweep, in text, CSV and JSON', async () => {
    const axes = ['--hardware', 'h100,a100', '--prompt', '128..512', '--batch', '1,4'];
    const { rows } = (await json(...axes)) as { rows: { prompt_tokens: number }[] };
    expect(rows).toHaveLength(12);
    expect([...new Set(rows.map(({ prompt_tokens }) => prompt_tokens))]).toEqual([128, 256, 512]);
    const csv = (await predict(...axes, '--csv')).stdout.trim().split('\n');
    expect(csv).toHaveLength(13);
    expect(csv[0]).toMatch(/^model,hardware,chips,/);
    expect(new Set(csv.map((line) => line.split(',').length)).size).toBe(1);
    expect((await predict(...axes)).stdout).toContain('a100-80');
  });

  test('--per-operation names operations as the profiler does', async () => {
    const { rows } = (await json('--model', 'tinyllama-1.1b', '--per-operation')) as { rows: { name: string }[] };
    const names = rows.map(({ name }) => name);
    expect(names).toHaveLength(2 * (3 + 22 * 8));
    expect(names).toContain('layers.21.gate_up');
  });

  const questions: readonly [string, string[]][] = [
    ['sla', ['--model', 'llama-3.1-8b', '--prompt', '4096', '--ttft', '150']],
    ['crossover', ['--model', 'llama-3.1-8b', '--output', '4,256']],
    ['quantization', ['--hardware', 'a100']],
    ['sensitivity', ['--model', 'bloom-176b', '--tp', '8']],
    ['batch', ['--batch', '1..64']],
  ];
  test.each(chosen(questions, (_, i) => i % 4 === 0))('%s answers in text, CSV and JSON', async (name, args) => {
    const text = await predict(name, ...args);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain(args[0] === '--model' ? args[1] : 'llama-2-7b');
    expect(text.stdout).toContain('efficiencies');
    const { rows } = (await json(name, ...args)) as { rows: unknown[] };
    expect((await predict(name, ...args, '--csv')).stdout.trim().split('\n')).toHaveLength(rows.length + 1);
  });

  test('crossover owns up when there is none', async () => {
    expect((await predict('crossover')).stdout).toContain('never in 1..4096');
  });

  test('list shows the catalogue; programs get sources', async () => {
    expect((await predict('list')).stdout).toContain('groqrack');
    const { rows } = (await json('list')) as { rows: { id: string; source: string }[] };
    expect(rows.every(({ source }) => source.length > 5)).toBe(true);
  });

  test.each([
    [['--hardware', 'h100x'], /hardware "h100x" is not known; choose from /],
    [['--model', 'nope'], /neither a model that is known nor a folder/],
    [['--batch', '0'], /--batch must be a whole number of at least 1/],
    [['--weight-dtype', 'int3'], /--weight-dtype must be one of /],
    [['--hardware', 'this-machine'], /was not calibrated; run "ridgepoint calibrate" first/],
    [['--calibration', 'absent.json'], /absent.json: there is no such file/],
    [['quantization', '--hardware', 'h100,a100'], /--hardware takes one value here/],
    [['--tp', '3'], /32 heads, which 3 chips cannot share evenly/],
  ])('%j is wrong usage, in one sentence', async (args, message) => {
    const { code, stderr, stdout } = await predict(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('loads nothing that an answer does not need: no driver, no engine, no server', () => {
    const files = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      if (files.has(file)) return;
      files.add(file);
      for (const [, name] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export) (?:[^'"]*? from )?'([^']+)';/gms,
      )) {
        if (name.startsWith('.')) visit(join(dirname(file), name));
        else if (!name.startsWith('node:')) packages.add(name);
      }
    };
    for (const entry of ['main.js', 'commands/predict/command.js', 'commands/predict/run.js'])
      visit(join(root, 'dist', 'src', 'cli', entry));
    expect([...packages].sort()).toEqual(['@commander-js/extra-typings']);
    expect(files.size).toBeGreaterThan(20);
    const loaded = [...files].map((file) =>
      relative(join(root, 'dist', 'src'), file)
        .split(sep)
        .join('/'),
    );
    const heavy = ['engine/engine.js', 'platform/node/dawn.js', 'server/server.js', 'tokenizer/tokenizer.js'];
    expect(loaded.filter((file) => heavy.includes(file))).toEqual([]);
  });

  test.runIf(isFull)('this machine is the default once it was calibrated', async () => {
    const folder = join(cache, 'ridgepoint', 'calibration');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${calibrationKey(calibration.adapter, calibration.driver)}.json`);
    writeFileSync(file, JSON.stringify(calibration));
    writeFileSync(join(folder, 'broken.json'), '{}');
    const found = await json('--model', 'tiny-tales');
    expect(found).toMatchObject({ hardware: 'this-machine', hardware_name: 'Test adapter', kernels: 'shader' });
    expect(await json('--calibration', file)).toMatchObject({ hardware: 'this-machine' });
    expect((await predict('--calibration', join(folder, 'broken.json'))).stderr).toMatch(/broken.json: "version"/);
    expect((await predict('--adapter', 'lavapipe')).stderr).toMatch(/there are those of Test adapter/);
    expect((await predict('sla')).stdout).toContain('this-machine');
  });
});

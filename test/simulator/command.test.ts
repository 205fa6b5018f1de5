import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveSchema } from '../../bench/serve/schema.js';
import { root, run } from '../platform/child.js';
import { isFull } from '../support/scale.js';

const built = existsSync(join(root, 'dist', 'src', 'cli', 'main.js'));

describe.skipIf(!built)('ridgepoint simulate (skipped before `npm run build`)', () => {
  let folder: string;
  const simulate = (...args: string[]) =>
    run(process.execPath, [join(root, 'scripts', 'ridgepoint.mjs'), 'simulate', ...args], {
      cwd: root,
      env: process.env,
    });
  const file = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  const apart = {
    model: 'llama-2-7b',
    pools: [
      { name: 'p', role: 'prefill', count: 2, chip: 'h100-sxm' },
      { name: 'd', role: 'decode', chip: 'h100-sxm' },
    ],
    transfer: { bytes_per_second_per_chip: 50e9 },
  };
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'ridgepoint-simulate-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('serves a load on pools that are apart, and writes what "bench serve" would have', async () => {
    const output = join(folder, 'result.json');
    const { code, stdout } = await simulate(
      'run',
      await file('apart.json', apart),
      '--rate',
      '10',
      '--duration',
      '5',
      '--json',
      '--slo',
      'spad:loose',
      '--output',
      output,
    );
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as {
      completed: number;
      transfers: { count: number };
      slo: { met: boolean };
      measures: { measure: string }[];
    };
    expect(answer.completed).toBeGreaterThan(20);
    expect(answer.transfers.count).toBe(answer.completed);
    expect(answer.measures.map(({ measure }) => measure)).toEqual(['ttft', 'tpot', 'itl', 'e2el']);
    const written = serveSchema.parse(JSON.parse(await readFile(output, 'utf8')));
    expect(written.backend).toBe('simulated');
    expect(written.runs[0].requests).toHaveLength(answer.completed);
  });

  it('leaves a warm-up out of the figures, and in the file', async () => {
    const output = join(folder, 'warm.json');
    const path = await file('warm.json.cluster', apart);
    const load = ['--rate', '10', '--duration', '5', '--json', '--output', output];
    const { code, stdout } = await simulate('run', path, ...load, '--warmup', '2');
    expect(code).toBe(0);
    const { completed, warmup } = JSON.parse(stdout) as { completed: number; warmup: { cut: object[] } };
    const [run] = serveSchema.parse(JSON.parse(await readFile(output, 'utf8'))).runs;
    const cut = run.requests.filter(({ sent_ms: sent }) => sent < 2000).length;
    expect(cut).toBeGreaterThan(5);
    expect(completed).toBe(run.requests.length - cut);
    expect(run.figures).toMatchObject({ completed, num_prompts: completed });
    expect(run.warmup).toEqual({ requests: cut, seconds: 2 });
    expect(warmup).toEqual({ rule: 'seconds', cut: [{ seed: 0, requests: cut, seconds: 2 }] });
    const search = await simulate('capacity', path, '--slo', 'ttft:p90:500', '--warmup', 'mser-5');
    expect([search.code, search.stderr]).toEqual([
      2,
      expect.stringContaining('--warmup mser-5 needs runs to their end'),
    ]);
  });

  it.runIf(isFull)(
    'finds how much a cluster bears and how many machines a load needs, one being the other',
    async () => {
      const path = await file('one.json', { model: 'llama-3.1-8b', pools: [{ name: 'gpu', chip: 'h100-sxm' }] });
      const load = ['--duration', '10', '--slo', 'ttft:p90:300,tbt:p90:12', '--json', '--quiet'];
      const capacity = await simulate('capacity', path, ...load);
      expect(capacity.code).toBe(0);
      const [{ requests_per_s: most }] = (JSON.parse(capacity.stdout) as { rows: { requests_per_s: number }[] }).rows;
      const provision = await simulate('provision', path, ...load, '--rate', String(2.5 * most), '--most', '6');
      const [plan] = (JSON.parse(provision.stdout) as { rows: { machines: number }[] }).rows;
      expect(plan.machines).toBeGreaterThanOrEqual(2);
      expect(plan.machines).toBeLessThanOrEqual(4);
    },
  );

  it.each([
    ['an unknown key', { ...apart, colour: 'red' }, 'Unrecognized key: "colour"'],
    ['machines for prompts alone', { ...apart, pools: [apart.pools[0]] }, 'none that decodes'],
    ['no transfer', { ...apart, transfer: undefined }, 'say by transfer'],
    ['a chip that is not known', { ...apart, pools: [{ name: 'x', chip: 'h1000' }] }, 'h1000'],
    [
      'weights that do not fit',
      { model: 'llama-3.1-70b', pools: [{ name: 'x', chip: 'h100-sxm' }] },
      'take more chips or smaller weights',
    ],
    [
      'a price of another kind',
      { ...apart, pools: [{ name: 'x', chip: 'h100-sxm', price: 'guess' }] },
      'price must be',
    ],
  ])('refuses %s in one sentence', async (_, content, says) => {
    const { code, stdout, stderr } = await simulate(
      'run',
      await file('wrong.json', content),
      '--rate',
      '1',
      '--duration',
      '1',
    );
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(says);
  });

  it('has no latency to tell of a cluster without a load, and says what to give', async () => {
    const { code, stderr } = await simulate('run', await file('apart.json', apart));
    expect(code).toBe(2);
    expect(stderr).toContain('--rate');
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStudy, resolvePoint } from '../../src/cli/commands/simulate/study.js';
import { root, run } from '../platform/child.js';

const study = {
  cluster: {
    model: 'llama-2-7b',
    pools: [
      { name: 'p', role: 'prefill', count: [1, 2], chip: 'h100-sxm' },
      { name: 'd', role: 'decode', chip: ['h100-sxm', 'a100-80'] },
    ],
    transfer: { bytes_per_second_per_chip: 50e9 },
  },
  load: { rate: [5, 20], duration: 4, input_len: 256, output_len: 8 },
  slo: 'ttft:p90:200',
};

/** What a Chrome trace holds. */
interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly name: string;
  readonly args: { readonly name?: string };
}

let folder: string;
const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(content));
  return path;
};
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'ridgepoint-study-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a study', () => {
  it('is every combination of its lists, the last varying fastest, named by the pool they are of', async () => {
    const points = await readStudy(await file('all.json', study));
    expect(points).toHaveLength(8);
    expect(points[1].settings).toEqual([
      { name: 'cluster.pools.p.count', value: 1 },
      { name: 'cluster.pools.d.chip', value: 'h100-sxm' },
      { name: 'load.rate', value: 20 },
    ]);
    const { cluster, flags } = await resolvePoint(points[6], 'all.json');
    expect(cluster.pools.map(({ count, chip }) => [count, chip])).toEqual([
      [2, 'h100-sxm'],
      [1, 'a100-80'],
    ]);
    expect(flags.rate).toBe(5);
  });

  it.each([
    ['an empty list', { ...study, slo: [] }, 'a list is empty'],
    ['an unknown key', { ...study, sloo: 'x' }, 'sloo'],
    ['a load that is not known', { ...study, load: { rates: 3 } }, 'rates'],
    [
      'a role that is none',
      { ...study, cluster: { ...study.cluster, pools: [{ ...study.cluster.pools[0], role: 'x' }] } },
      'role',
    ],
  ])('refuses %s', async (_, content, says) => {
    const path = await file('wrong.json', content);
    const all = readStudy(path).then((points) => Promise.all(points.map((point) => resolvePoint(point, path))));
    await expect(all).rejects.toThrow(says);
  });
});

describe.skipIf(!existsSync(join(root, 'dist', 'src', 'cli', 'main.js')))(
  'ridgepoint simulate sweep (skipped before `npm run build`)',
  () => {
    const sweep = (...args: string[]) =>
      run(process.execPath, [join(root, 'scripts', 'ridgepoint.mjs'), 'simulate', 'sweep', ...args], {
        cwd: root,
        env: process.env,
      });

    it('comes to the same bytes on one thread, on two, and where it goes on from a part', async () => {
      const small = {
        ...study,
        cluster: { ...study.cluster, pools: [study.cluster.pools[0], { ...study.cluster.pools[1], chip: 'a100-80' }] },
      };
      const path = await file('small.json', small);
      const [one, two] = ['one', 'two'].map((name) => join(folder, `${name}.jsonl`));
      const { code, stdout } = await sweep(path, '--threads', '1', '--output', one, '--json');
      expect(code).toBe(0);
      expect((JSON.parse(stdout) as { rows: unknown[] }).rows).toHaveLength(4);
      const whole = await readFile(one, 'utf8');
      // The first line whole and the second cut off, as after a crash.
      await writeFile(two, whole.slice(0, whole.indexOf('\n') + 40));
      const window = join(folder, 'window.json');
      const drawn = ['--trace-window', `0s..1s ${window}`];
      const again = await sweep(path, '--threads', '2', '--output', two, '--csv', ...drawn);
      expect(again.code).toBe(0);
      expect(await readFile(two, 'utf8')).toBe(whole);
      // Those marked are drawn, under the values they have: three machines where two are for prompts.
      const [heads, ...rows] = again.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(','));
      const best = rows.filter((row) => row[heads.indexOf('pareto')] === 'true');
      const names = best.flatMap(([count, rate]) => {
        const machines = [...Array.from({ length: Number(count) }, (_, at) => `p ${at}`), `d ${count}`];
        return machines.map((machine) => `p.count ${count}, rate ${rate}: ${machine}`);
      });
      const { traceEvents } = JSON.parse(await readFile(window, 'utf8')) as { traceEvents: TraceEvent[] };
      const processes = traceEvents.filter(({ ph }) => ph === 'M');
      expect(names.length).toBeGreaterThan(1);
      expect(processes.map(({ args }) => args.name)).toEqual(names);
      expect(processes.map(({ pid }) => pid)).toEqual(names.map((_, at) => at));
      expect(traceEvents.some(({ ph, pid, name }) => ph === 'X' && name === 'prefill' && pid === 0)).toBe(true);
    });
  },
);

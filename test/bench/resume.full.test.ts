import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readResult } from '../../bench/store.js';
import { build, cli, Scratch } from '../cli/support.js';
import { adapters } from '../support/adapters.js';

const scratch = new Scratch();
const adapter = adapters[0];
const env = { XDG_CACHE_HOME: scratch.path };

beforeAll(build);
afterAll(() => scratch.remove());

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

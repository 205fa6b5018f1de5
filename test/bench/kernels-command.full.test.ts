import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelsSchema } from '../../bench/kernels/schema.js';
import { build, cli, Scratch } from '../cli/support.js';
import { adapters } from '../support/adapters.js';

describe('bench kernels and tune', () => {
  const scratch = new Scratch();
  const adapter = adapters[0];
  beforeAll(build);
  afterAll(() => scratch.remove());
  // A folder of its own for what is kept, but not for the driver's compiled shaders.
  const env = {
    XDG_CACHE_HOME: scratch.path,
    MESA_SHADER_CACHE_DIR: join(scratch.path, '..'),
    RIDGEPOINT_TUNING: 'on',
  };

  it('bench kernels prints a table and writes a result that fits the schema', async () => {
    const output = join(scratch.path, 'kernels.json');
    const args = ['--shapes', '64x64', '--rows', '1,8', '--only', 'matmul', '--variants', 'vec1,direct,tiled'];
    const done = await cli(['bench', 'kernels', '--adapter', adapter, ...args, '--budget', '0.2', '--output', output], {
      env,
    });
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain('## Matmul');
    const result = kernelsSchema.parse(JSON.parse(readFileSync(output, 'utf8')));
    expect(result.complete).toBe(true);
    expect(new Set(result.records.map(({ rows }) => rows))).toEqual(new Set([1, 8]));
    expect(result.records.some(({ variant }) => variant === 'direct')).toBe(true);
    expect(result.records.every(({ samples_ms }) => samples_ms.length > 0)).toBe(true);
  });

  it('bench kernels leaves variants out that its budget has no time for, and names them', async () => {
    const args = ['--shapes', '64x64', '--rows', '1,8', '--only', 'matmul', '--format', 'json'];
    const within = ['--budget', '0.001', '--within-budget']; // over when the first point has its default
    const done = await cli(['bench', 'kernels', '--adapter', adapter, ...args, ...within], { env });
    expect(done.code, done.stderr).toBe(0);
    const { complete, records, skipped } = kernelsSchema.parse(JSON.parse(done.stdout));
    expect(complete).toBe(true);
    expect(records).toMatchObject([{ rows: 1, default: true }]);
    expect(skipped.map(({ id }) => id).sort()).toEqual(['matmul 64x64, 1 row', 'matmul 64x64, 8 rows']);
    for (const { id, reason } of skipped) {
      expect(reason).toMatch(
        id.includes('8') ? /^no time was left for it$/ : /^no time was left for \d+ variants: \w+/,
      );
    }
  });

  it('tune keeps a choice within its budget, which generate uses and --no-autotune does not', async () => {
    const tuned = await cli(['tune', '--adapter', adapter, '--budget', '0.01', '--json'], { env });
    expect(tuned.code, tuned.stderr).toBe(0);
    const { entries } = JSON.parse(tuned.stdout) as { entries: Record<string, { measured: boolean }> };
    const measured = Object.values(entries).filter((each) => each.measured);
    expect(measured).toHaveLength(1); // one that was begun is ended
    const text = ['generate', 'Once', '--adapter', adapter, '--max-tokens', '1', '--json'];
    const tuning = async (...more: string[]) => {
      const { stdout } = await cli([...text, ...more], { env });
      return (JSON.parse(stdout) as { tuning: { shapes: { measured: number } } | null }).tuning;
    };
    expect((await tuning())?.shapes.measured).toBe(1);
    expect(await tuning('--no-autotune')).toBeNull();
    const { stdout } = await cli(['devices', '--adapter', adapter], { env });
    expect(stdout).toMatch(/tuned +1 shapes, \d{4}-/);
  });

  it('refuse what is out of range', async () => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await cli(args, { env });
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('bench', 'kernels', '--shapes', '64')).toContain('--shapes must be outputs x inputs');
    expect(await refused('bench', 'kernels', '--rows', '0')).toContain('--rows must be whole numbers of at least 1');
    expect(await refused('tune', '--budget', '0')).toContain('--budget must be a number of seconds above 0');
  });
});

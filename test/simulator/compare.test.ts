import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serveSchema } from '../../bench/serve/schema.js';
import { compare } from '../../src/cli/commands/compare/run.js';
import { compareServed } from '../../src/cli/commands/compare/serve-results.js';
import { runCommand } from '../../src/cli/commands/simulate/run.js';
import * as output from '../../src/cli/terminal/output.js';
import { readWarmup } from '../../src/simulator/warmup.js';

interface Row {
  readonly policy: string;
  readonly figure: string;
  readonly first: number;
  readonly second: number;
  readonly difference?: number;
}

describe('two simulated runs', () => {
  let folder: string;
  const told: string[] = [];
  /** Runs a cluster of so many machines and writes its result. */
  const simulated = async (name: string, count: number, more: object = {}): Promise<string> => {
    const cluster = join(folder, `${name}.cluster.json`);
    const path = join(folder, `${name}.json`);
    await writeFile(
      cluster,
      JSON.stringify({ model: 'llama-2-7b', pools: [{ name: 'gpu', chip: 'h100-sxm', count }] }),
    );
    await runCommand(cluster, { rate: 20, duration: 6, output: path, quiet: true, ...more });
    return path;
  };
  const compared = async (first: string, second: string, flags: object = {}) => {
    let text = '';
    const code = await compareServed([first, second], { write: (part) => void (text += part), ...flags });
    return { code, text };
  };
  const rowsOf = (text: string): Row[] => (JSON.parse(text) as { rows: Row[] }).rows;
  let [one, four] = ['', ''];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ridgepoint-compare-'));
    vi.spyOn(output, 'print').mockImplementation(() => undefined);
    vi.spyOn(output, 'tell').mockImplementation((text) => void told.push(text));
    [one, four] = [await simulated('one', 1), await simulated('four', 4)];
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  });

  it('stand beside each other, with the figures of their files and the difference', async () => {
    const { code, text } = await compared(one, four, { json: true });
    expect(code).toBe(0);
    const rows = rowsOf(text);
    const [a, b] = await Promise.all(
      [one, four].map(async (path) => serveSchema.parse(JSON.parse(await readFile(path, 'utf8'))).policies[0].figures),
    );
    for (const figure of ['p99_ttft_ms', 'mean_tpot_ms', 'p90_itl_ms', 'median_e2el_ms', 'output_throughput']) {
      const row = rows.find((each) => each.figure === figure)!;
      expect(row).toMatchObject({ policy: 'its own', first: a[figure], second: b[figure] });
      expect(row.difference).toBeCloseTo(b[figure] / a[figure] - 1, 12);
    }
    // Four machines have fewer rows in a step each.
    expect(rows.find(({ figure }) => figure === 'mean_tpot_ms')!.difference).toBeLessThan(-0.01);
    expect((await compared(one, four)).text).toMatch(/policy +figure +first +second +difference\n/);
  });

  it('are no different from themselves, and too far apart where that is asked', async () => {
    const same = await compared(one, one, { json: true, failAbove: 0.001 });
    expect(same.code).toBe(0);
    expect(rowsOf(same.text).every(({ difference }) => difference === 0)).toBe(true);
    told.length = 0;
    expect((await compared(one, four, { failAbove: 0.001 })).code).toBe(1);
    expect(told.join('')).toMatch(/TPOT differs by [\d.]+ %, above 0.1 %/);
  });

  it('count what came after a warm-up', async () => {
    const late = await simulated('late', 1, { warmup: readWarmup('2') });
    const file = serveSchema.parse(JSON.parse(await readFile(late, 'utf8')));
    expect(file.policies[0].figures.num_prompts).toBeLessThan(file.runs[0].requests.length);
    told.length = 0;
    const rows = rowsOf((await compared(one, late, { json: true })).text);
    expect(rows.some(({ difference }) => difference !== 0)).toBe(true);
    expect(told).toEqual([]);
    const others = await simulated('others', 1, { seed: 1 });
    await compared(one, others);
    expect(told.join('')).toContain('did not serve the same requests');
  });

  it('are not predicted, and one alone is not compared', async () => {
    await expect(compared(one, four, { hardware: 'h100-sxm' })).rejects.toMatchObject({ code: 'usage' });
    await expect(compare(one)).rejects.toThrow('name a second one to set beside it');
    const odd = join(folder, 'odd.json');
    await writeFile(odd, '{"kind":"serve"}');
    await expect(compared(one, odd)).rejects.toThrow(`${odd}: is no result of "ridgepoint bench serve"`);
  });
});

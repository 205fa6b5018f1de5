import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { replicateCommand } from '../../src/cli/commands/simulate/replicate.js';
import { lines } from '../../src/cli/commands/simulate/report/figures.js';
import { writeSimulationReport } from '../../src/cli/commands/simulate/report/write.js';
import { runCommand } from '../../src/cli/commands/simulate/run.js';
import * as output from '../../src/cli/terminal/output.js';
import { parseSlo } from '../../src/simulator/slo.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ridgepoint-report-'));
  vi.spyOn(output, 'print').mockImplementation(() => undefined);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

describe('the axis of a distribution', () => {
  const axis = (...values: number[]) => {
    const marks = values.map((x, y) => ({ x, y, series: 'TPOT' }));
    const { spec } = lines('Gap', '', marks, { x: 'ms', y: 'share', log: true });
    const { x } = spec.encoding as { x: { scale: { type?: string; domain?: number[] }; axis: { values?: number[] } } };
    return x;
  };

  it('goes by powers from the least value to the most, not to the next power of ten', () => {
    const { scale, axis: marked } = axis(21, 1002);
    expect(scale.type).toBe('log');
    expect(scale.domain![0]).toBeGreaterThan(15);
    expect(scale.domain![1]).toBeLessThan(1500);
    expect(marked.values).toEqual([50, 100, 200, 500, 1000]);
  });

  it('is even where the values are close, as it would have hardly a mark otherwise', () => {
    const { scale, axis: marked } = axis(5.9, 8.1);
    expect(scale.type).toBeUndefined();
    expect(marked.values).toBeUndefined();
  });
});

describe('a report', () => {
  it.each(['json', 'csv'] as const)(
    'of a run is written with --%s too, and says what the run came to',
    async (form) => {
      const cluster = join(folder, 'cluster.json');
      await writeFile(cluster, JSON.stringify({ model: 'llama-2-7b', pools: [{ name: 'gpu', chip: 'h100-sxm' }] }));
      const report = join(folder, `${form}.html`);
      const slo = parseSlo('ttft:p90:500');
      await runCommand(cluster, { rate: 2, duration: 4, slo, quiet: true, [form]: true, report });
      const page = await readFile(report, 'utf8');
      expect(page).toMatch(/<p class="lead">\d+ requests in one run, .* bound by memory\.<\/p>/);
      expect(page).toContain('<td>p90 TTFT</td>');
      expect(page.match(/<svg/g)).toHaveLength(3);
      expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    },
  );

  it('breaks sentences and heads of several words, and no names', async () => {
    const report = join(folder, 'cells.html');
    const why = 'no workload is given, so that this is a load of our own';
    const columns = ['decode-priority', why].map((text) => ({
      head: text === why ? 'TTFT p50 ms' : 'policy',
      key: text,
      value: () => text,
      text: () => text,
    }));
    await writeSimulationReport(report, { title: 'x', figures: [], tables: [{ title: 'y', rows: [{}], columns }] });
    const page = await readFile(report, 'utf8');
    expect(page).toContain('<tr><th>policy</th><th class="long">TTFT p50 ms</th></tr>');
    expect(page).toContain(`<tr><td>decode-priority</td><td class="long">${why}</td></tr>`);
  });

  it('of published runs draws what has parts, and says below each table why it is as it is', async () => {
    const report = join(folder, 'platforms.html');
    expect(await replicateCommand('platforms', { report, quiet: true })).toBe(0);
    const page = await readFile(report, 'utf8');
    for (const name of ['A100 alone', 'GroqRack alone', 'A100, then GroqRack', 'GroqRack, then A100'])
      expect(page).toContain(`>${name}</text>`);
    expect(page).toMatch(/<\/table><\/div>\n<p class="key">the page says that there is one<\/p>/);
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { bindsOfAnswer } from '../../src/cli/commands/simulate/answer-run.js';
import { buildCluster } from '../../src/cli/commands/simulate/build-cluster.js';
import { provisionCommand } from '../../src/cli/commands/simulate/questions.js';
import * as output from '../../src/cli/terminal/output.js';
import { clusterSchema } from '../../src/simulator/cluster-file.js';
import { parseSlo } from '../../src/simulator/slo.js';

const file = clusterSchema.parse({ model: 'llama-2-7b', pools: [{ name: 'gpu', role: 'both', chip: 'h100-sxm' }] });
/** Requests that come a second apart, so that none waits for another. */
const apart = (promptTokens: number, outputTokens: number) =>
  Array.from({ length: 4 }, (_, index) => ({ index, arrival: index, promptTokens, outputTokens }));

it('says what the run of an answer spends its time on: compute with long prompts, memory with long answers', async () => {
  const built = await buildCluster(file);
  const binds = (prompt: number, answer: number) =>
    bindsOfAnswer(built, built.cluster, apart(prompt, answer), { seed: 0, window: undefined });
  expect(await binds(4096, 2)).toBe('compute');
  expect(await binds(16, 50)).toBe('memory');
  // All at once on one machine: most of the time is spent waiting for it.
  const crowd = Array.from({ length: 400 }, (_, index) => ({
    index,
    arrival: 0,
    promptTokens: 2048,
    outputTokens: 2,
  }));
  expect(await bindsOfAnswer(built, built.cluster, crowd, { seed: 0, window: undefined })).toBe('queue');
});

it('stands beside every plan in text, CSV and JSON, and the first plan is what is drawn', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-answer-'));
  const printed: string[] = [];
  const print = vi.spyOn(output, 'print').mockImplementation((text) => void printed.push(text));
  try {
    const cluster = join(folder, 'cluster.json');
    await writeFile(cluster, JSON.stringify(file));
    const load = { rate: 2, duration: 4, slo: parseSlo('ttft:p90:2000'), most: 2, quiet: true };
    const path = join(folder, 'window.json');
    await provisionCommand(cluster, { ...load, json: true, traceWindow: { from: 0, to: 4, path } });
    await provisionCommand(cluster, { ...load, csv: true });
    await provisionCommand(cluster, load);
    const [json, csv, text] = printed;
    expect((JSON.parse(json) as { rows: object[] }).rows).toMatchObject([{ machines: 1, binds: 'memory' }]);
    const [heads, row] = csv.trim().split('\n');
    expect(row.split(',')[heads.split(',').indexOf('binds')]).toBe('memory');
    expect(text).toMatch(/binds *\n.*memory/);
    const { traceEvents } = JSON.parse(await readFile(path, 'utf8')) as { traceEvents: { ph: string; name: string }[] };
    expect(traceEvents.some(({ ph, name }) => ph === 'X' && name === 'decode')).toBe(true);
  } finally {
    print.mockRestore();
    await rm(folder, { recursive: true, force: true });
  }
});

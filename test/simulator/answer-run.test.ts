import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { bindsOfAnswer } from '../../src/cli/commands/simulate/answer-run.js';
import { buildCluster } from '../../src/cli/commands/simulate/build-cluster.js';
import { poolsOf } from '../../src/cli/commands/simulate/pools.js';
import { provisionCommand } from '../../src/cli/commands/simulate/provision.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { aloneOn } from '../../src/simulator/alone.js';
import { simulate } from '../../src/simulator/simulation.js';
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

it('is of a machine that was calibrated, where the chip is the file of it', async () => {
  const chip = join(packageRoot(), 'bench', 'results', 'llvmpipe_mesa-25.0.7_2026-11-21-2', 'calibration.json');
  const built = await buildCluster(clusterSchema.parse({ model: 'tiny-tales', pools: [{ name: 'this', chip }] }));
  expect(built.predictors.get('this')!.hardware.name).toContain('llvmpipe');
  const load = apart(64, 16).map((request) => ({ ...request, arrival: 10 * request.index }));
  const { traces } = simulate(built.cluster, load);
  const alone = aloneOn(built.reference)(load[0]);
  for (const { ttft, e2e } of traces) {
    expect(ttft).toBeCloseTo(alone.ttft, 9);
    expect(e2e).toBeCloseTo(alone.e2e, 9);
  }
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

describe('machines that are said without a file', () => {
  const read = (given: string) => poolsOf.read(given, undefined);

  it('are of both phases, or of each', () => {
    expect(read('prefill=8xspad-prefill,decode=a100-80')).toEqual([
      { role: 'prefill', chips: 8, chip: 'spad-prefill' },
      { role: 'decode', chips: 1, chip: 'a100-80' },
    ]);
    for (const wrong of ['prefill=x', 'both=a,decode=b', 'both=a,both=b', 'decode=a,prefill=', 'prefill=0xa,decode=b'])
      expect([wrong, read(wrong)]).toEqual([wrong, undefined]);
  });

  it('are counted as those of a file', async () => {
    const printed: string[] = [];
    const print = vi.spyOn(output, 'print').mockImplementation((text) => void printed.push(text));
    const load = { rate: 2, duration: 4, slo: parseSlo('ttft:p90:2000'), most: 2, quiet: true, json: true };
    const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-pools-'));
    const cluster = join(folder, 'cluster.json');
    try {
      await provisionCommand(undefined, {
        ...load,
        pools: read('prefill=h100-sxm,decode=h100-sxm'),
        model: 'llama-2-7b',
      });
      const pool = (role: string, policy: string) => ({ name: role, role, chip: 'h100-sxm', policy });
      const pools = [pool('prefill', 'prefill-first'), pool('decode', 'chunked')];
      const transfer = { bytes_per_second_per_chip: 50e9, latency_ms: 0.05 };
      await writeFile(cluster, JSON.stringify({ model: 'llama-2-7b', pools, transfer }));
      await provisionCommand(cluster, load);
      expect(printed[0]).toBe(printed[1]);
      expect(JSON.parse(printed[0])).toMatchObject({ rows: [{ prefill: 1, decode: 1 }] });
      await expect(provisionCommand(undefined, load)).rejects.toThrow('--pools');
      await expect(provisionCommand(undefined, { ...load, pools: read('both=l4') })).rejects.toThrow('--model');
      await expect(provisionCommand(cluster, { ...load, pools: read('both=l4') })).rejects.toThrow('does not go with');
    } finally {
      print.mockRestore();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

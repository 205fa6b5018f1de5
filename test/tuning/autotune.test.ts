import { describe, expect, it } from 'vitest';
import type { TuningStore } from '../../src/tuning/autotune.js';
import { contestsOf } from '../../src/tuning/contests.js';
import { usualWinners } from '../../src/tuning/contest.js';
import type { TunedEntry, TuningFile } from '../../src/tuning/file.js';
import { startEngine } from '../../src/engine/start.js';
import { parseConfig } from '../../src/model/config.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testGpu } from '../support/adapters.js';
import { adapter } from '../engine/support.js';
import { isFull } from '../support/scale.js';

const CONFIG = parseConfig(
  JSON.parse(readFileSync(join(packageRoot(), 'models', 'tiny-tales', 'config.json'), 'utf8')),
  'config.json',
);

/** A store that holds one file and remembers what is written. */
class MemoryStore implements TuningStore {
  saved = 0;
  constructor(public file: TuningFile | undefined) {}
  load(): Promise<TuningFile | undefined> {
    return Promise.resolve(this.file);
  }
  save(file: TuningFile): Promise<void> {
    this.saved++;
    this.file = file;
    return Promise.resolve();
  }
}

/** As measured: everything as usual, but matmuls of few rows always take the variant for one row. */
async function oneRowOnly(): Promise<TuningFile> {
  const gpu = await testGpu(adapter);
  const { contests } = contestsOf(CONFIG, { formats: { dtype: 'f16', head: 'f16' }, sequences: 8, kv: 'f32' }, gpu);
  const entries: Record<string, TunedEntry> = {};
  for (const contest of contests) {
    const usual = usualWinners(contest);
    const one = Object.fromEntries(Object.keys(usual).map((id) => [id, usual['1']]));
    const winners = contest.key.startsWith('matmul few') ? one : { ...usual };
    entries[contest.key] = { fingerprint: contest.fingerprint, measured: true, winners, ms: {}, dropped: [] };
  }
  return {
    version: 1,
    adapter: gpu.name,
    driver: gpu.driver,
    date: '2026-01-02T03:04:05.000Z',
    entries,
  };
}

describe('an engine', () => {
  const load = (tuning: TuningStore | undefined, autotune?: boolean) =>
    startEngine({ adapter, autotune, maxSequences: 8 }, { ...nodeHost, tuning });

  it.runIf(isFull)('takes the kernels that were kept, says so, and computes the same', async () => {
    const store = new MemoryStore(await oneRowOnly());
    const tuned = await load(store);
    const plain = await load(store, false);
    try {
      await Promise.all([tuned.ready, plain.ready]);
      expect(plain.info.tuning).toBeUndefined();
      expect(tuned.info.tuning).toMatchObject({ source: 'kept', date: '2026-01-02T03:04:05.000Z', dropped: [] });
      expect(tuned.info.tuning!.shapes.measured).toBe(tuned.info.tuning!.shapes.of);
      expect(tuned.info.tuning!.changed.every((each) => each.startsWith('matmul few'))).toBe(true);
      expect(tuned.info.tuning!.changed.length).toBeGreaterThan(0);
      expect(store.saved).toBe(0);
      // Variants of one order of sums: not one bit differs, however many decode together.
      const prompts = ['Once upon a time', 'The fox', 'A red ball', 'Lily'];
      const run = (engine: typeof tuned) =>
        Promise.all(
          prompts.map((prompt) => engine.generate(prompt, { temperature: 0, maxTokens: 12, logprobs: 1 }).result),
        );
      const [a, b] = [await run(tuned), await run(plain)];
      expect(a.map(({ ids }) => ids)).toEqual(b.map(({ ids }) => ids));
    } finally {
      await tuned.dispose();
      await plain.dispose();
    }
  });

  it.runIf(isFull)(
    'passes over what was measured with other shaders, and a small model measures nothing by itself',
    async () => {
      const file = await oneRowOnly();
      const old = Object.entries(file.entries).map(([key, entry]) => [key, { ...entry, fingerprint: 'old' }] as const);
      for (const store of [
        new MemoryStore({ ...file, entries: Object.fromEntries(old) }),
        new MemoryStore(undefined),
      ]) {
        const engine = await load(store);
        expect(engine.info.tuning).toBeUndefined();
        expect(store.saved).toBe(0);
        await engine.dispose();
      }
    },
  );

  it.runIf(isFull)('does without a store', async () => {
    const engine = await load(undefined);
    expect(engine.info.tuning).toBeUndefined();
    await engine.dispose();
  });
});

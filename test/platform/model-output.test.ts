import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelOutput } from '../../src/platform/node/model-output.js';
import { FaultyDisk, type Fault } from '../support/faulty-disk.js';
import { chosen } from '../support/scale.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ridgepoint-output-'));
  mkdirSync(join(root, 'source'));
});
afterEach(() => rmSync(root, { recursive: true }));

const OLD = { 'config.json': 'old config', 'model.safetensors': 'old weights', 'tokenizer.json': 'old tokenizer' };
const NEW = {
  'model-00001-of-00002.safetensors': 'new weights',
  'model-00002-of-00002.safetensors': 'more new weights',
  'tokenizer.json': 'new tokenizer',
  'config.json': 'new config',
};
const open = (folder: string, force = true) => ModelOutput.open(folder, { force, source: join(root, 'source') });

async function write(folder: string): Promise<void> {
  const output = await open(folder);
  try {
    for (const [name, text] of Object.entries(NEW)) await output.writeText(name, text);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
}

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const sorted = (files: Record<string, string>) => Object.fromEntries(Object.entries(files).sort());

describe('a model that replaces another', () => {
  it.each<Fault>(
    chosen(['ENOSPC', 'EIO', 'EACCES', 'short', 'crash'], (fault) => fault === 'short' || fault === 'crash'),
  )('is there whole, or the other is, whichever call of the disk fails with %s', async (fault) => {
    const make = (folder: string) => {
      mkdirSync(folder);
      for (const [name, text] of Object.entries({ ...OLD, 'notes.txt': 'mine' }))
        writeFileSync(join(folder, name), text);
    };
    make(join(root, 'count'));
    const count = new FaultyDisk();
    await write(join(root, 'count'));
    await count.restore();
    expect(count.named).toEqual([]);
    expect(sorted(contents(join(root, 'count')))).toEqual(sorted({ ...NEW, 'notes.txt': 'mine' }));
    const calls = count.calls.length;
    expect(calls).toBeGreaterThan(30);

    const seen = { old: 0, new: 0 };
    for (let at = 0; at < calls; at++) {
      const folder = join(root, `at ${at}`);
      make(folder);
      const disk = new FaultyDisk((_, index) => (index === at ? fault : 'pass'));
      const error = await write(folder).then(
        () => undefined,
        (reason: Error) => reason,
      );
      const failed = `${at} ${disk.calls[at]?.name}`;
      await disk.restore();
      expect(disk.named).toEqual([]);
      // The lock's holder is this very process, which is still there.
      for (const name of readdirSync(folder)) {
        if (name.startsWith('.ridgepoint')) rmSync(join(folder, name), { recursive: true });
      }
      // What is there is a model, or nothing that looks like one; the next run puts the rest in order.
      const names = readdirSync(folder);
      if (names.includes('config.json')) {
        const isOld = readFileSync(join(folder, 'config.json'), 'utf8') === OLD['config.json'];
        const missing = Object.keys(isOld ? OLD : NEW).filter((name) => !names.includes(name));
        if (!isOld) expect([failed, missing]).toEqual([failed, []]);
      }
      await (await open(folder)).discard();
      for (const name of readdirSync(folder)) if (name.endsWith('.partial')) rmSync(join(folder, name));
      const now = sorted(contents(folder));
      const isNew = 'model-00001-of-00002.safetensors' in now;
      seen[isNew ? 'new' : 'old']++;
      expect([failed, now]).toEqual([failed, sorted({ ...(isNew ? NEW : OLD), 'notes.txt': 'mine' })]);
      if (error === undefined) expect([failed, isNew]).toEqual([failed, true]);
      else if (fault !== 'crash') expect(error.message).toMatch(/: cannot be written: /);
    }
    expect(seen.old).toBeGreaterThan(fault === 'short' ? 3 : 15);
  });
});

describe('two at once', () => {
  it('are refused by the process that was first, and the folder is free when it is done', async () => {
    const folder = join(root, 'new');
    const first = await open(folder, false);
    const message = new RegExp(
      `new: process ${process.pid} is writing a model there; wait for it, or choose another folder`,
    );
    await expect(open(folder, false)).rejects.toThrow(message);
    await expect(open(folder, true)).rejects.toThrow(message);
    await first.writeText('config.json', '{}');
    await expect(open(folder, false)).rejects.toThrow(message);
    await first.commit();
    await expect(open(folder, false)).rejects.toThrow(/is not empty/);
    expect(readdirSync(folder)).toEqual(['config.json']);
    await (await open(folder)).discard();
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  it('does not mind one that was killed', async () => {
    const folder = join(root, 'killed');
    mkdirSync(join(folder, '.ridgepoint.lock'), { recursive: true });
    writeFileSync(join(folder, 'model.safetensors.partial'), 'half');
    const first = await open(folder, false).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(first).toBeUndefined();
  });
});

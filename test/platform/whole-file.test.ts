import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkWritable, writeWhole } from '../../src/platform/node/whole-file.js';
import { FaultyDisk, type Fault } from '../support/faulty-disk.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ridgepoint-whole-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const OLD = 'what was there before';
const NEW = 'what is there now, and a good deal longer';

/** How many calls a faultless writing of the file makes. */
async function callsOf(path: string): Promise<number> {
  const disk = new FaultyDisk();
  await writeWhole(path, NEW);
  await disk.restore();
  return disk.calls.length;
}

describe('writeWhole', () => {
  it('flushes a file before it has its name, and its folder after', async () => {
    const disk = new FaultyDisk();
    await writeWhole(join(folder, 'deep', 'er', 'file'), NEW);
    await disk.restore();
    expect(readFileSync(join(folder, 'deep', 'er', 'file'), 'utf8')).toBe(NEW);
    expect(readdirSync(join(folder, 'deep', 'er'))).toEqual(['file']);
    expect(disk.named).toEqual([]);
    const names = disk.calls.map(({ name }) => name);
    expect(names.indexOf('sync')).toBeLessThan(names.indexOf('rename'));
    expect(names.lastIndexOf('sync')).toBeGreaterThan(names.indexOf('rename'));
  });

  it.each<Fault>(['ENOSPC', 'EIO', 'EACCES', 'short', 'crash'])(
    'leaves the old file or the new one whole, whichever call fails with %s',
    async (fault) => {
      const path = join(folder, 'file');
      const calls = await callsOf(path);
      expect(calls).toBeGreaterThan(8);
      let refused = 0;
      for (const before of [OLD, undefined]) {
        for (let at = 0; at < calls; at++) {
          rmSync(path, { force: true });
          if (before !== undefined) writeFileSync(path, before);
          const disk = new FaultyDisk((_, index) => (index === at ? fault : 'pass'));
          const error = await writeWhole(path, NEW).then(
            () => undefined,
            (reason: Error) => reason,
          );
          const failed = disk.calls[at]?.name;
          await disk.restore();
          const now = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
          if (error === undefined) expect([failed, now]).toEqual([failed, NEW]);
          else {
            refused++;
            expect([before, NEW]).toContain(now);
            expect(error.name).toBe('RidgepointError');
            expect(error.message).toMatch(/file: cannot be written: /);
          }
          expect(disk.named).toEqual([]);
          // Only a crash, and a disk that does not even remove, leaves something behind.
          const left = readdirSync(folder).filter((name) => name !== 'file');
          if (fault !== 'crash') expect([failed, left]).toEqual([failed, []]);
          else left.forEach((name) => rmSync(join(folder, name)));
        }
      }
      expect(refused).toBeGreaterThan(fault === 'short' ? 1 : 8);
    },
  );

  it('says in words why it cannot', async () => {
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'folder'));
    const message = (path: string) => writeWhole(path, NEW).catch((error: Error) => error.message);
    expect(await message(join(folder, 'file', 'x'))).toMatch(/a file is in the way; choose another folder$/);
    expect(await message(join(folder, 'folder'))).toMatch(/a folder is in the way; choose another name$/);
    const disk = new FaultyDisk(({ name }) => (name === 'write' ? 'ENOSPC' : 'pass'));
    expect(await message(join(folder, 'full'))).toMatch(/full: cannot be written: the disk is full; free some space/);
    await disk.restore();
  });

  it('removes what runs that were killed left of the file, and nothing of runs that go on', async () => {
    const old = new Date(Date.now() - 7_200_000);
    const make = (name: string) => {
      writeFileSync(join(folder, name), 'x');
      utimesSync(join(folder, name), old, old);
    };
    ['file.999999999.1.part', `file.${process.pid}.999.part`, 'other.999999999.1.part', 'file.part'].forEach(make);
    writeFileSync(join(folder, 'file.999999998.1.part'), 'just now');
    await writeWhole(join(folder, 'file'), NEW);
    expect(readdirSync(folder).sort()).toEqual(
      ['file', `file.${process.pid}.999.part`, 'file.999999998.1.part', 'file.part', 'other.999999999.1.part'].sort(),
    );
  });
});

describe('checkWritable', () => {
  it('fails where writing would, and leaves no trace', async () => {
    await checkWritable(join(folder, 'new', 'file'));
    expect(readdirSync(join(folder, 'new'))).toEqual([]);
    writeFileSync(join(folder, 'file'), OLD);
    await checkWritable(join(folder, 'file'));
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe(OLD);
    await expect(checkWritable(join(folder, 'file', 'x'))).rejects.toThrow(/cannot be written: a file is in the way/);
    await expect(checkWritable(join(folder, 'new'))).rejects.toThrow(/cannot be written: a folder is in the way/);
  });
});

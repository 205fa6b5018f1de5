import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KeptLines } from '../../src/platform/node/kept-lines.js';
import { FaultyDisk, type Fault } from '../support/faulty-disk.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ridgepoint-kept-'));
  path = join(folder, 'deep', 'results.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (at: number): string => JSON.stringify({ point: at, text: 'größer'.repeat(at + 1) });
const open = (): Promise<KeptLines> => KeptLines.open(path, '{"point":');
const content = (): string => readFileSync(path, 'utf8');

async function withLines(count: number): Promise<void> {
  const kept = await open();
  await Promise.all(Array.from({ length: count }, (_, at) => kept.add(line(at))));
  await kept.close();
}

it('keeps lines in the order they were added, from one run to the next', async () => {
  await withLines(3);
  const kept = await open();
  expect(kept.lines).toEqual([line(0), line(1), line(2)]);
  await kept.add(line(3));
  expect(content()).toBe([0, 1, 2, 3].map((at) => `${line(at)}\n`).join(''));
  await kept.replace([line(3), line(0)]);
  await kept.close();
  expect(content()).toBe(`${line(3)}\n${line(0)}\n`);
  expect(readdirSync(join(folder, 'deep'))).toEqual(['results.jsonl']);
});

it('cuts off what a run that was ended in the middle of a line left, wherever that was', async () => {
  await withLines(2);
  const whole = content();
  const bytes = Buffer.from(whole);
  for (let length = `${line(0)}\n`.length; length < bytes.length; length += 1) {
    writeFileSync(path, bytes.subarray(0, length));
    const kept = await open();
    const before = kept.lines.length;
    await kept.add(line(1));
    await kept.close();
    expect(content(), `cut at ${length}`).toBe(`${kept.lines.map((each) => `${each}\n`).join('')}${line(1)}\n`);
    expect(before).toBe(bytes.subarray(0, length).toString().split('\n').length - 1);
  }
});

it('leaves a file alone that ends in something else', async () => {
  await withLines(1);
  writeFileSync(path, 'my notes');
  await expect(open()).rejects.toThrow(/ends in something else than a run left there; choose another file/);
  expect(content()).toBe('my notes');
  expect(existsSync(`${path}.lock`)).toBe(false);
});

it('refuses a second run while a first adds to the file', async () => {
  const first = await open();
  await expect(open()).rejects.toThrow(/process \d+.* is adding to it; wait for it, or choose another file/);
  await first.add(line(0));
  await first.close();
  expect((await open().then(async (kept) => (await kept.close(), kept))).lines).toEqual([line(0)]);
});

it.each<Fault>(['ENOSPC', 'EIO', 'short'])('has whole lines only, whichever call fails with %s', async (fault) => {
  let refused = 0;
  for (let at = 0; at < 12; at++) {
    rmSync(join(folder, 'deep'), { recursive: true, force: true });
    await withLines(1);
    const disk = new FaultyDisk((_, index) => (index === at ? fault : 'pass'));
    let kept: KeptLines | undefined;
    try {
      kept = await open();
      await kept.add(line(1));
    } catch (error) {
      expect(String(error)).toMatch(/results.jsonl.*: cannot be written: /);
      refused++;
    }
    await kept?.close().catch(() => undefined);
    await disk.restore();
    rmSync(`${path}.lock`, { recursive: true, force: true });
    const again = await open();
    expect([[line(0)], [line(0), line(1)]]).toContainEqual(again.lines);
    await again.close();
  }
  expect(refused).toBeGreaterThan(0);
});

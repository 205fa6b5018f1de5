import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openFolder } from '../../src/platform/node/files.js';
import * as opening from '../../src/platform/node/read-whole.js';
import { messageOf } from './support.js';

vi.mock('../../src/platform/node/read-whole.js', { spy: true });

const root = mkdtempSync(join(tmpdir(), 'ridgepoint-files-'));
afterAll(() => rmSync(root, { recursive: true }));
const isRoot = process.getuid?.() === 0;

describe('openFolder', () => {
  it('takes a file that only a look at it finds absent, as inside an archive of Yarn, for absent', async () => {
    const close = vi.fn(() => Promise.resolve());
    const absent = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    vi.spyOn(opening, 'openUnblocked').mockResolvedValueOnce({ stat: () => Promise.reject(absent), close } as never);
    const folder = await openFolder(root);
    expect(await folder.open('nobody.json')).toBeUndefined();
    expect(close).toHaveBeenCalledOnce();
  });

  it('reads pieces and texts, several at once', async () => {
    writeFileSync(
      join(root, 'a.bin'),
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    writeFileSync(join(root, 'a.json'), '{"text":"größer"}');
    const folder = await openFolder(root);
    const file = await folder.open('a.bin');
    expect(file).toMatchObject({ name: 'a.bin', size: 100 });
    const pieces = [new Uint8Array(10), new Uint8Array(30), new Uint8Array(0)];
    await Promise.all(pieces.map(async (into, i) => file?.read(i * 20, into)));
    expect(pieces.map((piece) => piece[0])).toEqual([0, 20, undefined]);
    expect(pieces[1][29]).toBe(49);
    await file?.close();
    expect(await folder.readText('a.json')).toBe('{"text":"größer"}');
    expect(await folder.open('absent')).toBeUndefined();
    expect(await folder.readText('absent')).toBeUndefined();
  });

  it('says what is wrong with a folder', async () => {
    writeFileSync(join(root, 'file'), 'x');
    expect(await messageOf(() => openFolder(join(root, 'none')))).toMatch(/none: no such folder; give a folder/);
    expect(await messageOf(() => openFolder(join(root, 'file')))).toMatch(
      /file: is a file; give the folder it is in, .*ridgepoint-files-/,
    );
    expect(await messageOf(() => openFolder(join(root, 'file', 'sub')))).toMatch(/no such folder/);
  });

  it('says what is wrong with a file', async () => {
    const folder = await openFolder(root);
    symlinkSync('../blobs/4d7a', join(root, 'link.json'));
    expect(await messageOf(() => folder.readText('link.json'))).toMatch(
      /link.json: is a link to ..\/blobs\/4d7a, which is not there; copy the folder with what its links lead to/,
    );
    for (const name of ['../x', 'sub/x', '/etc/passwd', '..', '.', 'a\0b', '']) {
      expect(await messageOf(() => folder.open(name))).toMatch(/is not a file directly inside/);
    }
    mkdirSync(join(root, 'sub'));
    expect(await messageOf(() => folder.open('sub'))).toMatch(/sub: is not a file/);
    writeFileSync(join(root, 'latin1.json'), Uint8Array.of(0x22, 0xe9, 0x22));
    expect(await messageOf(() => folder.readText('latin1.json'))).toMatch(/latin1.json: is not UTF-8 text/);

    writeFileSync(join(root, 'shrinks'), new Uint8Array(50));
    const file = await folder.open('shrinks');
    truncateSync(join(root, 'shrinks'), 20);
    expect(await messageOf(() => file?.read(10, new Uint8Array(30)))).toMatch(
      /shrinks: ends at byte 20 while 30 bytes at 10/,
    );
    await file?.close();
  });

  it.skipIf(isRoot)('says that a file may not be read (skipped for the superuser, who may)', async () => {
    writeFileSync(join(root, 'secret'), 'x');
    chmodSync(join(root, 'secret'), 0);
    const folder = await openFolder(root);
    expect(await messageOf(() => folder.open('secret'))).toMatch(/secret: cannot be read: permission denied/);
  });
});

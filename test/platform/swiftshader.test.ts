import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolders, swiftShader } from '../../src/platform/node/swiftshader.js';
import { FaultyDisk } from '../support/faulty-disk.js';
import { chosen, isFull } from '../support/scale.js';
import { built, runModule } from './child.js';

const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];
const ALL = [...FILES.slice(0, 2), 'unpacked.json', FILES[2]];

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('SwiftShader from npm', () => {
  let cache: string;
  beforeEach(async () => (cache = await mkdtemp(join(tmpdir(), 'ridgepoint-swiftshader-'))));
  afterEach(() => rm(cache, { recursive: true, force: true }));

  const unpacked = async (base: string) => {
    const [folder] = (await readdir(base)).filter((name) => name.startsWith('swiftshader-'));
    return { folder: join(base, folder), names: (await readdir(join(base, folder))).sort() };
  };

  it('unpacks three files into a folder named by the version, nothing left over', async () => {
    const files = await swiftShader([cache]);
    const { folder, names } = await unpacked(cache);
    expect(folder).toMatch(/swiftshader-\d+\.\d+\.\d+$/);
    expect(names).toEqual(ALL);
    expect(files).toEqual({ manifest: join(folder, FILES[2]), loader: join(folder, FILES[1]) });
    const manifest = JSON.parse(await readFile(join(folder, FILES[2]), 'utf8')) as { ICD: { library_path: string } };
    expect(manifest.ICD.library_path).toBe(`./${FILES[0]}`);
    for (const library of FILES.slice(0, 2)) {
      expect((await readFile(join(folder, library))).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    }
  });

  it('unpacks once, and mends what is missing, cut short or other than it was', async () => {
    await swiftShader([cache]);
    const { folder } = await unpacked(cache);
    const [library, loader, manifest] = FILES.map((name) => join(folder, name));
    const right = await readFile(library);
    const first = await stat(library);
    await rm(loader);
    await swiftShader([cache]);
    expect((await stat(library)).ino).toBe(first.ino);
    expect((await stat(loader)).size).toBeGreaterThan(0);
    const text = await readFile(manifest, 'utf8');
    const damages: [string, () => Promise<void>][] = [
      ['empty', () => truncate(library, 0)],
      ['cut to a page', () => truncate(library, 4096)],
      ['cut by a byte', () => truncate(library, right.length - 1)],
      [
        'zeros at the end, as long as it was',
        () => writeFile(library, Buffer.from(right).fill(0, right.length - 9000)),
      ],
      ['a manifest of zeros', () => writeFile(manifest, Buffer.alloc(text.length))],
      ['a record that is none', () => writeFile(join(folder, ALL[2]), '{')],
      ['a record of zeros', () => writeFile(join(folder, ALL[2]), Buffer.alloc(300))],
    ];
    for (const [what, damage] of damages) {
      await damage();
      await swiftShader([cache]);
      expect([what, (await readFile(library)).equals(right)]).toEqual([what, true]);
      expect(await readFile(manifest, 'utf8'), what).toBe(text);
    }
  });

  it('holds what an older version left, which kept no record, against the package once', async () => {
    await swiftShader([cache]);
    const { folder } = await unpacked(cache);
    const library = join(folder, FILES[0]);
    const right = await readFile(library);
    await rm(join(folder, ALL[2]));
    const { ino } = await stat(library);
    await swiftShader([cache]);
    expect((await stat(library)).ino).toBe(ino); // it was right: whoever has it loaded is left alone
    await rm(join(folder, ALL[2]));
    await truncate(library, 5_000_000);
    await swiftShader([cache]);
    expect((await readFile(library)).equals(right)).toBe(true);
  });

  it.each(chosen(['ENOSPC', 'EIO', 'short', 'crash'], (fault) => fault === 'short' || fault === 'crash'))(
    'is never left half done, whichever call fails with %s',
    async (fault) => {
      const count = new FaultyDisk();
      await swiftShader([cache]);
      await count.restore();
      expect(count.named).toEqual([]);
      const { folder } = await unpacked(cache);
      const right = await Promise.all(FILES.map((name) => readFile(join(folder, name))));
      const calls = Array.from(Array(count.calls.length).keys());
      for (const at of chosen(calls, (i) => i % 22 === 3)) {
        await rm(folder, { recursive: true });
        const disk = new FaultyDisk((_, index) => (index === at ? fault : 'pass'));
        await swiftShader([cache]).catch((error: Error) => expect(error.message).toMatch(/cannot be unpacked: /));
        await disk.restore();
        expect(disk.named).toEqual([]);
        await swiftShader([cache]);
        for (const [i, name] of FILES.entries()) {
          expect([at, name, (await readFile(join(folder, name))).equals(right[i])]).toEqual([at, name, true]);
        }
      }
    },
  );

  it('goes to the next folder when one cannot be written, and names all when none can', async () => {
    const file = join(cache, 'a file, no folder');
    await writeFile(file, '');
    const second = join(cache, 'second');
    expect((await swiftShader([join(file, 'ridgepoint'), second]))?.manifest).toContain(second);
    await expect(swiftShader([join(file, 'ridgepoint')])).rejects.toThrow(
      /SwiftShader cannot be unpacked: .*ridgepoint\/swiftshader-[\d.]+: a file is in the way/,
    );
  });

  it('loads nothing from a folder that others may write, or that is a link', async () => {
    const open = join(cache, 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    await expect(swiftShader([open])).rejects.toThrow(/open: others may write there/);
    const target = join(cache, 'target');
    await mkdir(target);
    await symlink(target, join(cache, 'link'));
    await expect(swiftShader([join(cache, 'link')])).rejects.toThrow(/link: others may write there/);
  });

  it.runIf(isFull)('may be unpacked by several processes at once', async () => {
    const child = `
      import { swiftShader } from ${built('platform/node/swiftshader.js')};
      import { readFileSync } from 'node:fs';
      const { loader, manifest } = await swiftShader([${JSON.stringify(cache)}]);
      JSON.parse(readFileSync(manifest, 'utf8'));
      console.log(readFileSync(loader).length);
    `;
    const results = await Promise.all(Array.from({ length: 6 }, () => runModule(child)));
    const { folder, names } = await unpacked(cache);
    const { size } = await stat(join(folder, FILES[1]));
    for (const { stdout, stderr, code } of results) expect([code, stderr, stdout]).toEqual([0, '', `${size}\n`]);
    expect(names).toEqual(ALL);
  });

  it('uses XDG_CACHE_HOME where it is absolute, then a folder of this user alone', () => {
    const before = process.env.XDG_CACHE_HOME;
    try {
      process.env.XDG_CACHE_HOME = '/somewhere';
      expect(cacheFolders()).toEqual([
        '/somewhere/ridgepoint',
        join(tmpdir(), `ridgepoint-${process.getuid?.() ?? 0}`),
      ]);
      process.env.XDG_CACHE_HOME = 'relative';
      expect(cacheFolders()[0]).toMatch(/\.cache\/ridgepoint$/);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
    }
  });
});

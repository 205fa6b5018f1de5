import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolders, swiftShader } from '../../src/platform/node/swiftshader.js';
import { built, runModule } from './child.js';

const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('SwiftShader from npm', () => {
  let cache: string;
  beforeEach(async () => (cache = await mkdtemp(join(tmpdir(), 'ridgepoint-swiftshader-'))));
  afterEach(() => rm(cache, { recursive: true, force: true }));

  const unpacked = async (base: string) => {
    const [folder] = (await readdir(base)).filter((name) => name.startsWith('swiftshader-'));
    return { folder: join(base, folder), names: (await readdir(join(base, folder))).sort() };
  };

  it('unpacks three files into a folder named by the version, nothing left over', async () => {
    const files = swiftShader([cache]);
    const { folder, names } = await unpacked(cache);
    expect(folder).toMatch(/swiftshader-\d+\.\d+\.\d+$/);
    expect(names).toEqual(FILES);
    expect(files).toEqual({ manifest: join(folder, FILES[2]), loader: join(folder, FILES[1]) });
    const manifest = JSON.parse(await readFile(join(folder, FILES[2]), 'utf8')) as { ICD: { library_path: string } };
    expect(manifest.ICD.library_path).toBe(`./${FILES[0]}`);
    for (const library of FILES.slice(0, 2)) {
      expect((await readFile(join(folder, library))).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    }
  });

  it('unpacks once, and mends what is missing or empty', async () => {
    swiftShader([cache]);
    const { folder } = await unpacked(cache);
    const [library, loader] = [join(folder, FILES[0]), join(folder, FILES[1])];
    const first = await stat(library);
    await rm(loader);
    swiftShader([cache]);
    expect((await stat(library)).ino).toBe(first.ino);
    expect((await stat(loader)).size).toBeGreaterThan(0);
    await truncate(library, 0);
    swiftShader([cache]);
    expect((await stat(library)).size).toBe(first.size);
  });

  it('goes to the next folder when one cannot be written', async () => {
    const file = join(cache, 'a file, no folder');
    await writeFile(file, '');
    const second = join(cache, 'second');
    expect(swiftShader([join(file, 'ridgepoint'), second])?.manifest).toContain(second);
    expect(swiftShader([join(file, 'ridgepoint')])).toBeUndefined();
  });

  it('loads nothing from a folder that others may write, or that is a link', async () => {
    const open = join(cache, 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    expect(swiftShader([open])).toBeUndefined();
    const target = join(cache, 'target');
    await mkdir(target);
    await symlink(target, join(cache, 'link'));
    expect(swiftShader([join(cache, 'link')])).toBeUndefined();
  });

  it('may be unpacked by several processes at once', async () => {
    const child = `
      import { swiftShader } from ${built('platform/node/swiftshader.js')};
      import { readFileSync } from 'node:fs';
      const { loader, manifest } = swiftShader([${JSON.stringify(cache)}]);
      JSON.parse(readFileSync(manifest, 'utf8'));
      console.log(readFileSync(loader).length);
    `;
    const results = await Promise.all(Array.from({ length: 6 }, () => runModule(child)));
    const { folder, names } = await unpacked(cache);
    const { size } = await stat(join(folder, FILES[1]));
    for (const { stdout, stderr, code } of results) expect([code, stderr, stdout]).toEqual([0, '', `${size}\n`]);
    expect(names).toEqual(FILES);
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

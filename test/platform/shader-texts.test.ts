import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { embedShaders, shaderModule, staleEmbeds } from '../../scripts/embed-shaders.mjs';
import { shaderText } from '../../src/gpu/shader-source.js';
import { SHADER_TEXTS } from '../../src/gpu/shader-texts.js';
import { packageRoot } from '../../src/platform/node/package-root.js';

const root = packageRoot();

describe('the embedded shaders', () => {
  it('are the files of shaders/, in the sources and in the build', async () => {
    expect(staleEmbeds(root)).toEqual([]);
    const path = 'matmul/matmul_vec.wgsl';
    expect(SHADER_TEXTS[path]).toBe(await readFile(join(root, 'shaders', path), 'utf8'));
  });

  it('are of kernels whose names without their folder are their own', () => {
    const kernels = Object.keys(SHADER_TEXTS).filter((path) => /@compute/.test(SHADER_TEXTS[path]));
    expect(kernels.length).toBeGreaterThan(20);
    expect(new Set(kernels.map((path) => path.replace(/.*\//, ''))).size).toBe(kernels.length);
  });

  it('name the one that is not there', () => {
    expect(() => shaderText('matmul/none.wgsl')).toThrow('there is no shader matmul/none.wgsl');
  });
});

describe('an embed', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ridgepoint-embed-'));
    await mkdir(join(folder, 'shaders', 'family'), { recursive: true });
    await mkdir(join(folder, 'src', 'gpu'), { recursive: true });
    await writeFile(join(folder, 'src', 'gpu', 'shader-texts.d.ts'), 'types');
    await writeFile(join(folder, 'shaders', 'family', 'kernel.wgsl'), 'fn `${main}`() {} // \\n "£"\n');
    await writeFile(join(folder, 'shaders', 'family', 'notes.txt'), 'not a shader');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = async (text: string): Promise<unknown> =>
    ((await import(`data:text/javascript,${encodeURIComponent(text)}`)) as { SHADER_TEXTS: unknown }).SHADER_TEXTS;

  it('gives back every character', async () => {
    expect(await load(shaderModule(folder))).toEqual({ 'family/kernel.wgsl': 'fn `${main}`() {} // \\n "£"\n' });
  });

  it('is stale when a shader was changed, added or taken away since, wherever it lies', async () => {
    expect(staleEmbeds(folder)).toEqual([]); // nothing is embedded yet
    const both = [join('src', 'gpu', 'shader-texts.js'), join('dist', 'src', 'gpu', 'shader-texts.js')];
    const stale = async (name: string, text?: string): Promise<string[]> => {
      embedShaders(folder, { built: true });
      expect(staleEmbeds(folder)).toEqual([]);
      const path = join(folder, 'shaders', 'family', name);
      await (text === undefined ? rm(path) : writeFile(path, text));
      return staleEmbeds(folder);
    };
    expect(await stale('kernel.wgsl', 'fn other() {}')).toEqual(both);
    expect(await stale('another.wgsl', 'fn a() {}')).toEqual(both);
    expect(await stale('another.wgsl')).toEqual(both);
    expect(await stale('notes.txt', 'changed')).toEqual([]);
    expect(await readFile(join(folder, 'dist', 'src', 'gpu', 'shader-texts.d.ts'), 'utf8')).toBe('types');
  });
});

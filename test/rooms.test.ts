import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { portable, rooms } from '../scripts/lint/rooms.mjs';
import { isFull } from './support/scale.js';

const root = join(import.meta.dirname, '..');

/** `src/gpu`, `may import` of the table of rooms. */
function documented(): Record<string, string[]> {
  const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const rows = text.matchAll(/^\| `(src\/[\w./-]+)` *\|[^|]*\|([^|]*)\|$/gm);
  return Object.fromEntries(
    [...rows].map(([, room, cell]) => {
      const may = cell.trim();
      return [room, may === '–' ? [] : may.split(/, (?![^(]*\))/)];
    }),
  );
}

describe('the rooms', () => {
  it('may import what docs/architecture.md says', () => {
    const { 'src/cli': everything, ...others } = documented();
    expect(everything).toEqual(['everything']);
    expect(others).toEqual(rooms);
  });

  it('are all that there is in src', () => {
    const within = (folder: string): string[] => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
    const there = within('src').flatMap((path) => (path === 'src/platform' ? within(path) : [path]));
    expect(there.sort()).toEqual([...Object.keys(rooms), 'src/cli'].sort());
  });

  it('that a browser needs bundle for one, every file of theirs', async () => {
    const result = await build({
      entryPoints: portable.map((room) => (room.endsWith('.ts') ? room : `${room}/**/*.ts`)),
      ...{ absWorkingDir: root, outdir: 'bundled', bundle: true, splitting: true, write: false, metafile: true },
      // Written by the build of the library for browsers.
      external: ['./engine-text.js', './api-text.js'],
      ...{ format: 'esm', platform: 'browser', logLevel: 'silent' },
    });
    expect(result.errors).toEqual([]);
    const inputs = Object.keys(result.metafile.inputs).filter((path) => path.startsWith('src/'));
    expect(inputs.length).toBeGreaterThan(200);
    const within = (path: string): boolean => portable.some((room) => path === room || path.startsWith(`${room}/`));
    expect(inputs.filter((path) => !within(path))).toEqual([]);
  });

  it.runIf(isFull)('have no files that import each other, by whatever way round', async () => {
    const { metafile } = await build({
      entryPoints: ['src/**/*.ts', 'bench/**/*.ts'],
      ...{ absWorkingDir: root, outdir: 'bundled', bundle: true, write: false, metafile: true },
      ...{ format: 'esm', platform: 'node', packages: 'external', logLevel: 'silent' },
      external: ['./engine-text.js', './api-text.js'],
    });
    const imports = new Map(
      Object.entries(metafile.inputs).map(([path, input]) => [
        path,
        input.imports.filter(({ external, kind }) => external !== true && kind === 'import-statement'),
      ]),
    );
    expect(imports.size).toBeGreaterThan(500);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(' -> '));
      if (done.has(path)) return;
      done.add(path);
      for (const one of imports.get(path) ?? []) visit(one.path, [...above, path]);
    };
    for (const path of imports.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it('are not portable where they import a module of Node', async () => {
    const bundle = build({
      entryPoints: ['src/platform/node/disk.ts'],
      ...{ absWorkingDir: root, outdir: 'bundled', bundle: true, write: false },
      ...{ format: 'esm', platform: 'browser', logLevel: 'silent' },
    });
    await expect(bundle).rejects.toThrow(/Could not resolve "node:/);
  });
});

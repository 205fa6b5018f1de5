import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

/**
 * The folder of this package, where `shaders/` and `models/` lie. The nearest folder above this file that holds both a
 * `package.json` and `shaders/`, so that it is the same from `src/` (tests run the TypeScript) and from `dist/src/`.
 */
export function packageRoot(): string {
  return (found ??= findUpwards(dirname(fileURLToPath(import.meta.url))));
}

function findUpwards(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'shaders'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json with a shaders folder beside it above ${start}`);
  }
}

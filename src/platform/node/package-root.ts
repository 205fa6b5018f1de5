import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

/**
 * The folder of this package, where `models/` lies. The nearest folder above this file that holds both a `package.json`
 * and `models/`, so that it is the same from `src/` (tests run the TypeScript) and from `dist/src/`.
 */
export function packageRoot(): string {
  return (found ??= findUpwards(dirname(fileURLToPath(import.meta.url))));
}

function findUpwards(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'models'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json with a models folder beside it above ${start}`);
  }
}

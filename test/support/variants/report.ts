import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { allVariants, unrunLines } from './census.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder where each process writes what it ran. */
    variantsRan: string;
  }
}

/** Says at the end of a run which variants of the kernels under test no adapter was given. */
export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-variants-'));
  provide('variantsRan', folder);
  return () => {
    const lines = new Set(readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n')));
    rmSync(folder, { recursive: true });
    const families = new Set([...lines].flatMap((line) => /^family (.+)/.exec(line)?.slice(1) ?? []));
    for (const line of unrunLines(allVariants(), lines, families)) console.log(` kernels of ${line}`);
  };
}

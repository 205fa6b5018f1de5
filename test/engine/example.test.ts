import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { repositoryPath } from '../reference/load.js';

/** The first block of TypeScript in the README that uses the library. */
function example(): string | undefined {
  const readme = readFileSync(repositoryPath('README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  return blocks.find((code) => code.includes('Engine.load'));
}

const built = existsSync(repositoryPath('dist/src/index.js'));

describe('the library example of the README', () => {
  it('is about fifteen lines', () => {
    const lines = example()!
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(15);
  });

  it.skipIf(!built)('runs as it stands against the built package (skipped before `npm run build`)', async () => {
    // Inside the repository, so that `ridgepoint` means this package, and where git does not look.
    mkdirSync(repositoryPath('.cache'), { recursive: true });
    const folder = mkdtempSync(repositoryPath('.cache/example-'));
    try {
      const file = join(folder, 'example.mjs');
      const { ESNext } = ts.ModuleKind;
      const { outputText } = ts.transpileModule(example()!, {
        compilerOptions: { module: ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
      });
      writeFileSync(file, outputText);
      const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 600_000 });
      const [story] = stdout.split('\n');
      expect(story.split(' ').length, stdout).toBeGreaterThan(20);
      expect(stdout).toMatch(/\d+ tokens \((length|eos)\), TTFT \d+ ms, TPOT [\d.]+ ms/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

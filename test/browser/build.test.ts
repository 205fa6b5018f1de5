import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBrowser, stripWgsl } from '../../scripts/build-browser.mjs';

const root = join(import.meta.dirname, '..', '..');
const built = mkdtempSync(join(tmpdir(), 'ridgepoint-build-'));
beforeAll(() => buildBrowser(root, built));
afterAll(() => rmSync(built, { recursive: true }));

/** Thousands of bytes, compressed as a server would. */
function kilobytes(...names: RegExp[]): number {
  const files = readdirSync(built).filter((file) => names.some((name) => name.test(file)));
  expect(files.length).toBeGreaterThan(0);
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file)), { level: 9 }).length, 0) / 1000;
}

describe('the build for browsers', () => {
  it('is small: the page’s part, the engine, and what is loaded when it is needed', () => {
    expect(kilobytes(/^index\.js$/)).toBeLessThan(5);
    expect(kilobytes(/^ridgepoint-worker\.js$/)).toBeLessThan(150);
    expect(kilobytes(/^chat-/)).toBeLessThan(17);
    expect(kilobytes(/^engine-text\.js$/)).toBeLessThan(200);
  });

  it('has no module of Node, and imports nothing but its own files', () => {
    for (const file of readdirSync(built)) {
      const text = readFileSync(join(built, file), 'utf8');
      const imports = [...text.matchAll(/(?<!["'])\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, path]) => path);
      expect(imports.filter((path) => !path.startsWith('./'))).toEqual([]);
    }
  });

  it('leaves of shaders what compilers and our directives read', () => {
    const text = '// a remark\n//#if fast\n  let x = 1; // why\n\n//#endif\n';
    expect(stripWgsl(text)).toBe('//#if fast\nlet x = 1;\n//#endif');
  });
});

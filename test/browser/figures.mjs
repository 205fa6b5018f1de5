#!/usr/bin/env node
/**
 * Prints what the browser costs, in figures: `node test/browser/figures.mjs [speed|stalls|memory|ceilings|expected]...`,
 * without a name all of them. Wants a quiet machine, and says nothing of a GPU: both browsers run on software drivers.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { embedShaders } from '../../scripts/embed-shaders.mjs';

const root = join(import.meta.dirname, '..', '..');
// Beside the modules it imports, and below the package's root, where it looks for models.
const outfile = join(root, 'node_modules', '.cache', 'browser-figures.mjs');
embedShaders(root);
await build({
  ...{ absWorkingDir: root, entryPoints: [join('test', 'browser', 'figures', 'main.ts')], outfile },
  ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', logLevel: 'warning' },
  define: { FIGURES_ROOT: JSON.stringify(root) },
});
const { printFigures } = await import(pathToFileURL(outfile).href);
process.exit(await printFigures(process.argv.slice(2)));

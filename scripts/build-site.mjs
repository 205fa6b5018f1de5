#!/usr/bin/env node
/** Builds the page as static files; `--whole` with the embedded model, for any host. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildWorker, TEXTS } from './build-browser.mjs';

const OFFLINE = 'offline.js';
/** The tabs that are loaded when one of them is first opened. */
const TABS = 'bench/browser/tabs.ts';
/** Files of the page that are copied as they are. */
const PLAIN = ['index.html', 'bench.html', 'style.css', 'icon.svg', 'manifest.webmanifest'];

/** Files that are loaded by none of a build's entries when it is loaded itself, by their names. */
function loadedLater({ outputs }) {
  const needed = new Set();
  const visit = (path) => {
    if (needed.has(path)) return;
    needed.add(path);
    for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement') visit(next);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (entryPoint === TABS) visit(path);
  return new Set(
    Object.keys(outputs)
      .filter((path) => !needed.has(path))
      .map((path) => basename(path)),
  );
}

/**
 * The page's service worker, which knows the page's files and those of the embedded model by their names; what is rarely
 * wanted and large, such as what draws figures, it leaves to the network.
 */
async function buildOffline(root, outdir, rare) {
  const own = readdirSync(outdir).filter(
    (name) => name !== OFFLINE && !rare.has(name) && (name.endsWith('.js') || PLAIN.includes(name)),
  );
  const model = readdirSync(join(root, 'models', 'tiny-tales')).filter((name) => /\.(json|safetensors)$/.test(name));
  const files = [...own, 'models/presets.json', ...model.map((name) => `models/tiny-tales/${name}`)];
  const hash = createHash('sha256');
  for (const name of own) hash.update(name).update(readFileSync(join(outdir, name)));
  await build({
    absWorkingDir: root,
    entryPoints: [join('src', 'web', 'offline.ts')],
    ...{ outfile: join(outdir, OFFLINE), bundle: true, format: 'iife', target: 'es2022', minify: true },
    define: {
      RIDGEPOINT_FILES: JSON.stringify(files),
      RIDGEPOINT_BUILD: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
    logLevel: 'warning',
  });
}

/**
 * @param {string} root of the package
 * @param {string} outdir where the files go
 * @param {{ models?: boolean }} options whether the folder of models is copied, too
 */
export async function buildSite(root, outdir, { models = false } = {}) {
  mkdirSync(outdir, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await buildWorker(root, outdir, {
    entries: {
      'ridgepoint-measure': join('bench', 'browser', 'calibrate-worker.ts'),
      'ridgepoint-bench': join('bench', 'browser', 'bench-worker.ts'),
    },
    define: { RIDGEPOINT_VERSION: JSON.stringify(version) },
  });
  await build({
    absWorkingDir: root,
    entryPoints: { main: join('src', 'web', 'main.ts') },
    ...{ outdir, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', minify: true },
    ...{ splitting: true, chunkNames: 'page-[name]-[hash]' },
    // The page names the worker's file, so the text for those who cannot is not needed.
    external: TEXTS,
    logLevel: 'warning',
  });
  // Apart from the page, whose first view then has nothing of them.
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { 'bench-tabs': TABS },
    metafile: true,
    ...{ outdir, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', minify: true },
    ...{ splitting: true, chunkNames: 'bench-[name]-[hash]' },
    logLevel: 'warning',
  });
  for (const name of PLAIN) copyFileSync(join(root, 'src', 'web', name), join(outdir, name));
  await buildOffline(root, outdir, loadedLater(metafile));
  if (!models) return;
  mkdirSync(join(outdir, 'models'), { recursive: true });
  copyFileSync(join(root, 'models', 'presets.json'), join(outdir, 'models', 'presets.json'));
  cpSync(join(root, 'models', 'tiny-tales'), join(outdir, 'models', 'tiny-tales'), {
    recursive: true,
    filter: (path) => !path.includes('recipe'),
  });
}

const invoked = process.argv[1];
if (invoked && realpathSync(invoked) === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const whole = process.argv.includes('--whole');
  const outdir = join(root, 'dist', whole ? 'static' : 'site');
  await buildSite(root, outdir, { models: whole });
  if (whole) console.log(`built ${outdir}: copy it to any static host`);
}

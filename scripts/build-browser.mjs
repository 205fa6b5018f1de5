#!/usr/bin/env node
/** Builds `ridgepoint/browser`: a module for pages, and the engine for workers, as a file and as a text. */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { rolldown } from 'rolldown';
import { embedShaders } from './embed-shaders.mjs';
import { stripShaders } from './strip-shaders.mjs';

const HERE = join('src', 'platform', 'browser');
const WORKER = join(HERE, 'worker.ts');
const API = join('src', 'serving', 'fetch.ts');
/** Written beside the page's part, which loads them when it needs them. */
export const TEXTS = ['./engine-text.js', './api-text.js'];

/** An engine of text is handed the API as a text of its own, and only where somebody asks for it. */
const withoutApi = /serving\/fetch\.js$/;

/** What all builds have in common. */
const OUTPUT = { format: 'esm', minify: true, comments: { legal: false }, chunkFileNames: '[name]-[hash].js' };
const inputOf = (root, input) => ({
  cwd: root,
  input,
  platform: 'browser',
  tsconfig: false,
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'es2022' },
  logLevel: 'warn',
});

/**
 * @param {string} root of the package
 * @param {string} outdir where the files go
 */
export async function buildBrowser(root, outdir) {
  await buildWorker(root, outdir);
  // For workers made of text, which have no address to load anything from.
  const textOf = async (entry, external = []) => {
    const build = await rolldown({ ...inputOf(root, entry), external, plugins: [stripShaders({ whole: true })] });
    const { output } = await build.generate({ ...OUTPUT, codeSplitting: false });
    await build.close();
    return `export default ${JSON.stringify(output[0].code)};\n`;
  };
  writeFileSync(join(outdir, 'engine-text.js'), await textOf(WORKER, withoutApi));
  writeFileSync(join(outdir, 'api-text.js'), await textOf(API));
  // By esbuild, since Vite finds workers by their literals, for which Rolldown writes templates.
  await esbuild({
    absWorkingDir: root,
    entryPoints: { index: join(HERE, 'index.ts') },
    ...{ outdir, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', minify: true },
    ...{ legalComments: 'none', logLevel: 'warning', external: TEXTS },
  });
  markOwnImports(join(outdir, 'index.js'));
}

/** Says to bundlers that an address made while the page runs is none of theirs: esbuild leaves such remarks out. */
function markOwnImports(file) {
  const text = readFileSync(file, 'utf8');
  const marked = text.replaceAll('import(String(', 'import(/* webpackIgnore: true *//* @vite-ignore */String(');
  if (marked === text) throw new Error(`${file}: no import of an address is found; see pageSeat in place.ts`);
  writeFileSync(file, marked);
}

/**
 * The engine for workers with an address of their own: what every engine needs in one file, what is rarely needed in
 * others, which are loaded when it is.
 *
 * @param {string} root of the package
 * @param {string} outdir where the files go
 * @param {{ entries?: Record<string, string>, define?: Record<string, string> }} others workers built with it, which
 *   share its parts, and names that the build writes in
 */
export async function buildWorker(root, outdir, { entries = {}, define = {} } = {}) {
  embedShaders(root);
  mkdirSync(outdir, { recursive: true });
  // Parts have names of their content: those of an older build would stay.
  for (const name of readdirSync(outdir)) if (name.endsWith('.js')) rmSync(join(outdir, name));
  const inputs = inputOf(root, { 'ridgepoint-worker': WORKER, ...entries });
  const build = await rolldown({
    ...inputs,
    transform: { ...inputs.transform, define },
    plugins: [stripShaders()],
  });
  const needed = neededBy('ridgepoint-worker.js', (await build.generate({ ...OUTPUT, minify: false })).output);
  await build.write({
    ...OUTPUT,
    dir: outdir,
    codeSplitting: { groups: [{ name: 'engine', test: (id) => needed.has(id) }] },
  });
  await build.close();
}

/** The modules that a file brings along in any case. */
function neededBy(file, output) {
  const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
  const files = new Set([file]);
  for (const name of files) for (const imported of chunks.get(name).imports) files.add(imported);
  return new Set([...files].flatMap((name) => chunks.get(name).moduleIds));
}

/** `dist/browser` is only written where the sources are: the package has it built. */
const invoked = process.argv[1];
if (invoked && realpathSync(invoked) === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  await buildBrowser(root, join(root, 'dist', 'browser'));
  if (process.argv.includes('--sizes')) {
    const { gzipSync } = await import('node:zlib');
    for (const name of readdirSync(join(root, 'dist', 'browser'))) {
      const bytes = readFileSync(join(root, 'dist', 'browser', name));
      console.log(`${name}  ${bytes.length}  gzip ${gzipSync(bytes, { level: 9 }).length}`);
    }
  }
}

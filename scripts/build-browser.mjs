#!/usr/bin/env node
/** Builds `ridgepoint/browser`: a module for pages, and the engine for workers, as a file and as a text. */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { embedShaders } from './embed-shaders.mjs';

const HERE = join('src', 'platform', 'browser');
const WORKER = join(HERE, 'worker.ts');
const API = join('src', 'serving', 'fetch.ts');
/** Written beside the page's part, which loads them when it needs them. */
export const TEXTS = ['./engine-text.js', './api-text.js'];

/** What a WGSL compiler does not read: comments, but for our directives, and the space around lines. */
export function stripWgsl(text) {
  return text
    .split('\n')
    .map((line) => (/^\s*\/\/#/.test(line) ? line : line.replace(/\/\/.*$/, '')).trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** Shader texts without what only people read. */
const stripShaders = {
  name: 'strip-shaders',
  setup({ onLoad }) {
    onLoad({ filter: /shader-texts\.js$/ }, async ({ path }) => {
      const { SHADER_TEXTS } = await import(path);
      const texts = Object.fromEntries(Object.entries(SHADER_TEXTS).map(([name, text]) => [name, stripWgsl(text)]));
      return { contents: `export const SHADER_TEXTS = ${JSON.stringify(texts)};` };
    });
  },
};

/** An engine of text is handed the API as a text of its own, and only where somebody asks for it. */
const withoutApi = {
  name: 'without-api',
  setup({ onResolve }) {
    onResolve({ filter: /serving\/fetch\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/**
 * @param {string} root of the package
 * @param {string} outdir where the files go
 */
export async function buildBrowser(root, outdir) {
  await buildWorker(root, outdir);
  const common = commonOf(root);
  // For workers made of text, which have no address to load anything from.
  const textOf = async (entry, options = {}) => {
    const { outputFiles } = await build({ ...common, ...options, entryPoints: [entry], write: false });
    return `export default ${JSON.stringify(outputFiles[0].text)};\n`;
  };
  writeFileSync(join(outdir, 'engine-text.js'), await textOf(WORKER, { plugins: [...common.plugins, withoutApi] }));
  writeFileSync(join(outdir, 'api-text.js'), await textOf(API));
  await build({ ...common, entryPoints: { index: join(HERE, 'index.ts') }, outdir, external: TEXTS });
}

/**
 * The engine for workers with an address of their own: what is rarely needed is loaded when it is.
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
  await build({
    ...commonOf(root),
    entryPoints: { 'ridgepoint-worker': WORKER, ...entries },
    define,
    ...{ outdir, splitting: true, chunkNames: '[name]-[hash]' },
  });
}

function commonOf(root) {
  return {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [stripShaders],
  };
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

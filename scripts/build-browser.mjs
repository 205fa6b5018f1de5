#!/usr/bin/env node
/** Builds `ridgepoint/browser`: a module for pages, and the engine for workers, as a file and as a text. */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { embedShaders } from './embed-shaders.mjs';

const HERE = join('src', 'platform', 'browser');
const WORKER = join(HERE, 'worker.ts');

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

/**
 * @param {string} root of the package
 * @param {string} outdir where the files go
 */
export async function buildBrowser(root, outdir) {
  await buildWorker(root, outdir);
  const common = commonOf(root);
  // For workers made of text, which have no address to load anything from.
  const whole = await build({ ...common, entryPoints: [WORKER], write: false });
  writeFileSync(join(outdir, 'engine-text.js'), `export default ${JSON.stringify(whole.outputFiles[0].text)};\n`);
  await build({ ...common, entryPoints: { index: join(HERE, 'index.ts') }, outdir, external: ['./engine-text.js'] });
}

/**
 * The engine for workers with an address of their own: what is rarely needed is loaded when it is.
 *
 * @param {string} root of the package
 * @param {string} outdir where the files go
 */
export async function buildWorker(root, outdir) {
  embedShaders(root);
  mkdirSync(outdir, { recursive: true });
  // Parts have names of their content: those of an older build would stay.
  for (const name of readdirSync(outdir)) if (name.endsWith('.js')) rmSync(join(outdir, name));
  await build({
    ...commonOf(root),
    entryPoints: { 'ridgepoint-worker': WORKER },
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

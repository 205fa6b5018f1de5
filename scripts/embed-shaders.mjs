#!/usr/bin/env node
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The module of shader texts below `src/` and, once built, below `dist/src/`; git ignores both. */
export const EMBED = join('gpu', 'shader-texts.js');

/** The module's text as it has to be: every file of `shaders/` by its path there. @param {string} root */
export function shaderModule(root) {
  const folder = join(root, 'shaders');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
  const entry = (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return `  ${JSON.stringify(name.replaceAll('\\', '/'))}: ${JSON.stringify(text)},\n`;
  };
  return `// Written by scripts/embed-shaders.mjs from shaders/.\nexport const SHADER_TEXTS = {\n${names.sort().map(entry).join('')}};\nexport const otherShaders = undefined;\n`;
}

/** Those of the modules that are there and do not hold what `shaders/` holds now. @param {string} root */
export function staleEmbeds(root) {
  const wanted = shaderModule(root);
  return [join('src', EMBED), join('dist', 'src', EMBED)].filter(
    (path) => existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') !== wanted,
  );
}

/**
 * Puts the shaders' texts where the sources and, for the build, where what is compiled from them import them.
 *
 * @param {string} root
 * @param {{ built?: boolean }} options whether to write below `dist/` too
 */
export function embedShaders(root, { built = false } = {}) {
  const text = shaderModule(root);
  put(join(root, 'src', EMBED), text);
  if (!built) return;
  put(join(root, 'dist', 'src', EMBED), text);
  const types = EMBED.replace(/\.js$/, '.d.ts');
  put(join(root, 'dist', 'src', types), readFileSync(join(root, 'src', types), 'utf8'));
}

/** Writes a file whole, since others may be reading it; one that holds the text already is left alone. */
function put(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}`;
  writeFileSync(part, text);
  renameSync(part, path);
}

const invoked = process.argv[1];
if (invoked && realpathSync(invoked) === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (process.argv.includes('--check')) {
    const stale = staleEmbeds(root);
    if (stale.length > 0) {
      console.error(`${stale.join(' and ')}: not what shaders/ holds now; run "npm run build"`);
      process.exit(1);
    }
  } else embedShaders(root, { built: true });
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

/** Of webpack, what is used here. */
type Webpack = (
  options: { readonly context: string; readonly output: { readonly path: string } },
  done: (error: Error | null, stats?: { hasErrors(): boolean; toString(preset: string): string }) => void,
) => void;
const webpack = createRequire(import.meta.url)('webpack') as Webpack;

const pageOf = (script: string): string =>
  `<!doctype html><title>a page</title><script type="module" src="${script}"></script>`;
const MAIN = `import { Engine } from 'ridgepoint/browser';
window.Engine = Engine;
`;

/** Writes a page of somebody's that loads the package's engine, as `Engine` of its window. */
export function writePage(project: string): void {
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(project, 'index.html'), pageOf('./src/index.js'));
  writeFileSync(join(project, 'src', 'index.js'), MAIN);
}

export interface Bundler {
  readonly name: string;
  /** Where an engine of what it makes can live. */
  readonly places: readonly ('worker' | 'shared worker' | 'page')[];
  /** Makes `dist/index.html` of a project, and what belongs to it. */
  readonly bundle: (project: string) => Promise<unknown>;
}

export const BUNDLERS: readonly Bundler[] = [
  {
    name: 'esbuild',
    // It does not bring workers along, so the engine comes as a text.
    places: ['worker', 'page'],
    async bundle(project) {
      await esbuild({
        entryPoints: [join(project, 'src', 'index.js')],
        ...{ bundle: true, splitting: true, format: 'esm', outdir: join(project, 'dist') },
        ...{ minify: true, logLevel: 'error' },
      });
      writeFileSync(join(project, 'dist', 'index.html'), pageOf('./index.js'));
    },
  },
  {
    name: 'Vite',
    places: ['worker', 'shared worker', 'page'],
    bundle: (project) => vite({ root: project, base: './', logLevel: 'error' }),
  },
  {
    name: 'webpack',
    places: ['worker', 'shared worker', 'page'],
    async bundle(project) {
      await new Promise<void>((resolve, reject) => {
        // Of itself it takes the folder that it is started in.
        webpack({ context: project, output: { path: join(project, 'dist') } }, (error, stats) => {
          if (error !== null) reject(error);
          else if (stats!.hasErrors()) reject(new Error(stats!.toString('errors-only')));
          else resolve();
        });
      });
      writeFileSync(join(project, 'dist', 'index.html'), pageOf('./main.js'));
    },
  },
];

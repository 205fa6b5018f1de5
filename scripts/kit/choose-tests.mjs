// Which tests go into the kit, in which order they run there, and what they are made of.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { testSources } from './select.mjs';

/** Test files and folders that run on the bare machine. */
const TESTS = ['test/gpu', 'test/kernels', 'test/model', 'test/engine/greedy.test.ts'];
/** Matrix kernels first, which no other machine has run; last what compiles most or computes most. */
const ORDER = [
  'matrix',
  'matmul/prefill',
  'emulated',
  'matmul/dot8',
  '',
  'attention/attention.',
  'matmul/matmul.',
  'greedy.',
];
/** They look at what a driver made up on this machine is given; on a GPU there is nothing to look at. */
const PRETENDED = /pretend/;
/** In the kit another runner stands in for the first; the second is not needed to run what it has compiled. */
const NOT_PACKED = ['vitest', 'typescript'];

/** Test files of the kit, in the order in which they run. */
export function kitTests(root) {
  const named = (path) => ORDER.findIndex((name) => name !== '' && path.includes(name));
  const place = (path) => (named(path) === -1 ? ORDER.indexOf('') : named(path));
  return TESTS.flatMap((path) => testFiles(root, path))
    .filter((path) => !PRETENDED.test(path))
    .sort()
    .sort((a, b) => place(a) - place(b));
}

/** Test files at or under a path of the project. */
function testFiles(root, path) {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path), { recursive: true })
    .map((name) => `${path}/${name}`)
    .filter((name) => name.endsWith('.test.ts'));
}

/**
 * The files that tests are made of, and the packages to pack for them.
 *
 * @param {typeof import('typescript')} ts
 */
export function sourcesOf(root, tests, ts) {
  // Imports only: `require` is a method's name here, and what it is given no package.
  const importsOf = (path) =>
    ts
      .preProcessFile(readFileSync(join(root, path), 'utf8'), true, false)
      .importedFiles.map(({ fileName }) => fileName);
  const { files, packages } = testSources(tests, importsOf);
  return { files, packages: packages.filter((name) => !NOT_PACKED.includes(name)) };
}

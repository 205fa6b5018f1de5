#!/usr/bin/env node
// `npm run kit`: packs what a bare machine needs to test and measure the engine. See docs/kit.md.
import '../check-node.mjs';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, setUpOrExit } from '../setup.mjs';
import { kitTests, sourcesOf } from './choose-tests.mjs';
import { checkSize, inMiB, isNeeded, packageFolders } from './select.mjs';

/** What runs them there; `vitest` itself, with its bundler, is replaced by scripts/kit/vitest.mjs. */
const TEST_PACKAGES = ['@vitest/runner', '@vitest/expect', '@vitest/spy'];
const CHROMIUM = '@sparticuz/chromium';
const DAWN = 'node_modules/webgpu/dist/linux-x64/dawn.node';
/** Beside the project: expected output for a test that is left out where this is absent. */
const SHARED_MODEL = 'shared/data/models/stories260K';

/**
 * What NVIDIA's driver, and what Node may need and a bare machine may lack. They come from this machine, if it has them,
 * and are tried there only when it does not work without.
 */
const LIBRARIES = {
  spare: [
    ...['libX11.so.6', 'libXext.so.6', 'libxcb.so.1', 'libXau.so.6', 'libXdmcp.so.6', 'libbsd.so.0', 'libmd.so.0'],
    'libGLdispatch.so.0',
  ],
  'spare-node': ['libstdc++.so.6', 'libgcc_s.so.1', 'libatomic.so.1'],
};

class PackError extends Error {}

const { values: options } = parseArgs({
  options: { output: { type: 'string', default: 'kit' }, help: { type: 'boolean', short: 'h' } },
});
if (options.help) {
  console.log('usage: npm run kit [-- --output FOLDER]');
  process.exit(0);
}

await setUpOrExit();
try {
  await pack(resolve(root, options.output));
} catch (error) {
  console.error(error instanceof PackError ? `ridgepoint: ${error.message}` : error);
  process.exit(1);
}

async function pack(output) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PackError(
      `the kit holds the Node that packs it: pack on x86-64 Linux, not ${process.platform} ${process.arch}`,
    );
  }
  for (const tool of ['tar', 'xz']) {
    if (spawnSync(tool, ['--version']).status !== 0) throw new PackError(`packing needs "${tool}" on PATH`);
  }
  const cache = join(root, '.cache', 'kit');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'pack-'));
  try {
    const runtime = join(work, 'runtime');
    const app = join(work, 'app');
    const libraries = await layOutRuntime(runtime);
    const { tests, packages } = await layOutApp(join(app, 'ridgepoint'));
    const shared = copyIf(join(root, '..', SHARED_MODEL), join(app, SHARED_MODEL), () => true);
    const kit = { ...describe(), tests, packages, libraries, shared: shared ? [SHARED_MODEL] : [] };
    writeFileSync(join(app, 'ridgepoint', 'kit.json'), `${JSON.stringify(kit, null, 2)}\n`);

    console.log('compressing ...');
    const made = join(work, 'made');
    mkdirSync(made);
    compressCached(runtime, join(made, 'runtime.tar.xz'), cache);
    compress(app, join(made, 'app.tar.xz'));
    copyFileSync(join(root, 'scripts', 'kit', 'run.sh'), join(made, 'run.sh'));
    chmodSync(join(made, 'run.sh'), 0o755);
    const archives = Object.fromEntries(
      ['runtime.tar.xz', 'app.tar.xz'].map((name) => [name, fingerprint(join(made, name))]),
    );
    writeFileSync(join(made, 'kit.json'), `${JSON.stringify({ ...kit, archives }, null, 2)}\n`);

    const sizes = Object.fromEntries(readdirSync(made).map((name) => [name, statSync(join(made, name)).size]));
    const checkout = checkoutBytes();
    const total = tooLarge(() => checkSize(sizes, checkout));
    place(made, output);
    for (const [name, bytes] of Object.entries(sizes)) console.log(`${inMiB(bytes).padStart(10)}  ${name}`);
    console.log(
      `${inMiB(total).padStart(10)}  ${relative(process.cwd(), output) || '.'}: ${kit.commit ?? 'no commit'}, ${tests.length} test files`,
    );
    if (checkout > 0) console.log(`${inMiB(total + checkout).padStart(10)}  with the files of the checkout`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Bytes of what travels with a checkout: tracked files and others that are not ignored, the kit left out. */
function checkoutBytes() {
  if (!existsSync(join(root, '.git'))) return 0;
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const names = (stdout ?? '').split('\0').filter((name) => name !== '');
  return names.reduce((sum, name) => sum + (statSync(join(root, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

function tooLarge(check) {
  try {
    return check();
  } catch (error) {
    throw new PackError(error.message);
  }
}

/** Node, Dawn, the Vulkan loader and spare libraries: what changes with versions only. @returns names of the spare ones */
async function layOutRuntime(folder) {
  copy(realpathSync(process.execPath), join(folder, 'bin', 'node'));
  copy(join(root, DAWN), join(folder, 'ridgepoint', DAWN));
  strip(join(folder, 'bin', 'node'));
  strip(join(folder, 'ridgepoint', DAWN));

  const { swiftShader } = await import(pathToFileURL(join(root, 'dist/src/platform/node/swiftshader.js')).href);
  const files = await swiftShader([join(root, '.cache')]);
  if (!files) throw new PackError(`the Vulkan loader comes from the npm package ${CHROMIUM}, which is not installed`);
  copy(files.loader, join(folder, 'lib', 'libvulkan.so.1'));

  const listed = spawnSync('ldconfig', ['-p'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
  });
  const lines = (listed.stdout ?? '').split('\n').filter((line) => /x86-64/.test(line));
  const found = [];
  for (const [place, names] of Object.entries(LIBRARIES)) {
    for (const name of names) {
      const line = lines.find((one) => one.trim().startsWith(`${name} (`));
      if (line === undefined) continue;
      copy(realpathSync(line.split('=> ')[1].trim()), join(folder, place, name));
      found.push(name);
    }
  }
  return found;
}

/** The project as built, its npm packages, and the tests as JavaScript. */
async function layOutApp(folder) {
  // Not under dist: compiled tests then find models where those of a checkout do.
  for (const name of ['src', 'bench']) copyIf(join(root, 'dist', name), join(folder, name), isNeeded);
  for (const name of ['models', 'scripts']) copyIf(join(root, name), join(folder, name), () => true);
  copy(join(root, 'package.json'), join(folder, 'package.json'));
  copy(join(root, 'LICENSE'), join(folder, 'LICENSE'));

  const tests = kitTests(root);
  const { packages } = await compileTests(tests, folder);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = [...Object.keys(manifest.dependencies), CHROMIUM, ...TEST_PACKAGES, ...packages];
  const folders = packageFolders(lock, [...new Set(wanted)], {
    // Only its archive with SwiftShader is used, never its code.
    alone: new Set([CHROMIUM]),
    exists: (path) => existsSync(join(root, path)),
  });
  for (const path of folders) copyPackage(path, folder);
  const runner = join(folder, 'node_modules', 'vitest');
  copy(join(root, 'scripts', 'kit', 'vitest.mjs'), join(runner, 'index.js'));
  writeFileSync(join(runner, 'package.json'), '{ "name": "vitest", "type": "module", "exports": "./index.js" }\n');
  const versions = Object.fromEntries(
    folders.map((path) => [path.replace(/^node_modules\//, ''), lock.packages[path].version]),
  );
  return { tests: tests.map((path) => path.replace(/\.ts$/, '.js')), packages: versions };
}

function copyPackage(path, folder) {
  const other =
    path === 'node_modules/webgpu' ? /^(dist|build)\// : path.endsWith(CHROMIUM) ? /^bin\/(?!swiftshader)/ : undefined;
  copyIf(join(root, path), join(folder, path), (file) => isNeeded(file) && !other?.test(file));
}

/** Turns tests and what they import into JavaScript, types left unchecked as vitest does. */
async function compileTests(tests, folder) {
  const { default: ts } = await import('typescript');
  const { files, packages } = sourcesOf(root, tests, ts);
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const compilerOptions = {
    ...config.compilerOptions,
    module: 'ESNext',
    moduleResolution: 'Bundler',
    sourceMap: false,
    declaration: false,
  };
  const parsed = ts.convertCompilerOptionsFromJson(compilerOptions, root);
  for (const path of files) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, path), 'utf8'), {
      compilerOptions: parsed.options,
      fileName: path,
    });
    write(join(folder, path.replace(/\.ts$/, '.js')), outputText);
  }
  return { packages };
}

/** Where this comes from. Dates are the commit's, so that packing the same again gives the same. */
function describe() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() || null;
  const require = createRequire(join(root, 'package.json'));
  const version = (path) => require(join(root, path, 'package.json')).version;
  return {
    commit: existsSync(join(root, '.git')) ? git('describe', '--always', '--dirty', '--exclude', '*') : null,
    commit_date: existsSync(join(root, '.git')) ? git('log', '-1', '--format=%cI') : null,
    ridgepoint: version('.'),
    node: process.versions.node,
    dawn: `webgpu ${version('node_modules/webgpu')}`,
    loader: `${CHROMIUM} ${version(`node_modules/${CHROMIUM}`)}`,
  };
}

function compressCached(folder, archive, cache) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile())
      hash.update(`${name}\0`).update(createHash('sha256').update(readFileSync(path)).digest());
  }
  const kept = join(cache, `runtime-${hash.digest('hex').slice(0, 16)}.tar.xz`);
  if (!existsSync(kept)) {
    for (const name of readdirSync(cache)) if (/^runtime-.*\.xz$/.test(name)) rmSync(join(cache, name));
    compress(folder, `${kept}.${process.pid}`);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  copyFileSync(kept, archive);
}

/** A tar that depends on names and contents alone, through xz's filter for x86 programs. */
function compress(folder, archive) {
  const tar = `${archive}.tar`;
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=a+rX,u+w,go-w'];
  run('tar', [...plain, '-C', folder, '-cf', tar, ...readdirSync(folder).sort()]);
  run('xz', ['--check=crc32', '--x86', '--lzma2=preset=9e', '--threads=1', '--suffix=.xz', tar]);
  renameSync(`${tar}.xz`, archive);
}

/** Removes symbols that only a debugger reads. Without `strip` the kit is larger, which `checkSize` may refuse. */
function strip(path) {
  if (spawnSync('strip', [path]).error)
    console.error(`ridgepoint: no "strip" on PATH: ${basename(path)} stays as it is`);
}

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new PackError(`${command} failed: ${error?.message ?? stderr.trim()}`);
}

function fingerprint(path) {
  const bytes = readFileSync(path);
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Puts a finished kit in the place of an older one, and refuses a folder that holds something else. */
function place(made, output) {
  if (existsSync(output)) {
    const names = readdirSync(output);
    if (names.length > 0 && !names.includes('kit.json')) {
      throw new PackError(`${output} is neither empty nor an older kit: choose another folder with --output`);
    }
  }
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(made)) cpSync(join(made, name), join(output, name));
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, statSync(from).mode | 0o600);
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Copies the files of a folder that `keep` takes, by their path inside it. @returns whether the folder exists */
function copyIf(from, to, keep) {
  if (!existsSync(from)) return false;
  for (const name of readdirSync(from, { recursive: true })) {
    const status = statSync(join(from, name), { throwIfNoEntry: false });
    if (status?.isFile() && keep(name)) copy(join(from, name), join(to, name));
  }
  return true;
}

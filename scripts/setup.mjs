#!/usr/bin/env node
import './check-node.mjs';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedShaders } from './embed-shaders.mjs';
import { freshness } from './freshness.mjs';
import { withLock } from './lock.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A failure told in full by its message. */
export class SetUpError extends Error {}

/**
 * Installs npm packages when they are missing or the lock file changed, and builds when a source did. Says one line on
 * standard error for each that it does; costs some milliseconds when there is nothing to do. Several may run at once.
 *
 * @throws SetUpError with what npm or the compiler printed
 */
export async function setUp() {
  const fresh = freshness(root);
  if (!fresh.isCheckout() || (fresh.packagesAreFresh() && fresh.buildIsFresh())) return;
  const onWait = () => process.stderr.write('ridgepoint: waiting for another set-up in this folder\n');
  await withLock(
    join(root, '.cache', 'setup.lock'),
    async () => {
      if (!fresh.packagesAreFresh()) {
        await told('installing packages', installPackages);
        linkOwnBin();
        fresh.packagesInstalled();
      }
      if (!fresh.buildIsFresh()) {
        const sources = fresh.sources();
        await told('building', build);
        fresh.built(sources);
      }
    },
    { onWait },
  );
}

/** Runs a step with one line on standard error: its name at once, how long it took at the end. */
async function told(name, step) {
  process.stderr.write(`ridgepoint: ${name} ...`);
  const start = Date.now();
  try {
    await step();
    process.stderr.write(` ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
  } catch (error) {
    process.stderr.write(' failed\n');
    throw error;
  }
}

async function installPackages() {
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--no-progress'];
  let result = await npm(['ci', ...options]);
  // EUSAGE: no lock file, or one that does not fit package.json. Any other failure would come again.
  if (result.code !== 0 && /\bEUSAGE\b/.test(result.output)) result = await npm(['install', '--no-save', ...options]);
  if (result.code !== 0) {
    throw new SetUpError(`installing packages failed (npm exit code ${result.code}):\n${result.output}`);
  }
}

/** npm as it was started by, else the one on PATH. */
async function npm(args) {
  const script = process.env.npm_execpath;
  const started = script && /npm-cli\.c?js$/.test(script) && existsSync(script);
  const [command, before] = started ? [process.execPath, [script]] : ['npm', []];
  try {
    return await run(command, [...before, ...args], { shell: !started && process.platform === 'win32' });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new SetUpError('npm is not on PATH: install Node.js 20 or newer together with npm');
  }
}

async function build() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) {
    throw new SetUpError('the TypeScript compiler is missing from node_modules: run "npm ci --include=dev"');
  }
  // The compiler's own record says what it wrote, not what is still there.
  if (!existsSync(join(root, 'dist', 'src'))) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  embedShaders(root, { built: true });
  const { code, output } = await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--pretty', 'false']);
  if (code !== 0) throw new SetUpError(`building failed:\n${output}`);
  for (const script of ['build-browser.mjs', 'build-site.mjs']) {
    const built = await run(process.execPath, [join('scripts', script)]);
    if (built.code !== 0) throw new SetUpError(`building for browsers failed:\n${built.output}`);
  }
}

/** Lets `npx ridgepoint` find this checkout's own command, which npm links only in packages that depend on it. */
function linkOwnBin() {
  if (process.platform === 'win32') return;
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'ridgepoint'), { force: true });
  symlinkSync(join('..', '..', 'scripts', 'ridgepoint.mjs'), join(folder, 'ridgepoint'));
}

/** Runs a program in the package's folder and gives back its exit code and all it printed. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output: Buffer.concat(chunks).toString() }));
  });
}

/** Sets up for a script: a failure ends the process with its message and exit code 1. */
export async function setUpOrExit() {
  try {
    await setUp();
  } catch (error) {
    console.error(error instanceof SetUpError ? `ridgepoint: ${error.message}` : error);
    process.exit(1);
  }
}

const invoked = process.argv[1];
if (invoked && realpathSync(invoked) === fileURLToPath(import.meta.url)) await setUpOrExit();

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import typescript from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { root } from './child.js';

type Entry = Record<string, unknown>;
interface Select {
  KIT_LIMIT: number;
  isNeeded: (path: string) => boolean;
  packageFolders: (
    lock: { packages: Record<string, Entry> },
    names: string[],
    options?: { alone?: Set<string>; exists?: (folder: string) => boolean },
  ) => string[];
  testSources: (tests: string[], importsOf: (path: string) => string[]) => { files: string[]; packages: string[] };
  checkSize: (sizes: Record<string, number>, checkout?: number, limit?: number) => number;
}
interface Stage {
  name: string;
  plan: number;
  limit: number;
  script?: string;
  python?: string;
  args: string[];
  file?: string;
  closing?: boolean;
  endsItself?: boolean;
}
interface Stages {
  TOTAL_SECONDS: number;
  DRIVER_SECONDS: number;
  isDone: (stage: { name: string; exit: number | null }, summary?: { tests: { complete: boolean } | null }) => boolean;
  stages: (
    machine: { quick: boolean; gpuBytes?: number; adapter: string; peer?: boolean },
    folders: { out: string; details: string },
  ) => Stage[];
  secondsFor: (stage: { limit: number; closing?: boolean }, left: number) => number;
  ownSeconds: (limit: number) => number;
  resultName: (adapter: string, driver: string, date: string) => string;
}
interface Driver {
  nvidiaManifests: (folders: string[]) => string[];
  attempts: (machine: {
    env: Record<string, string>;
    unpacked: string;
    manifests: string[];
    hasNvidia: boolean;
    software: boolean;
  }) => { name: string; env: Record<string, string | undefined> }[];
}
const load = async <T>(name: string): Promise<T> =>
  (await import(pathToFileURL(join(root, 'scripts', 'kit', name)).href)) as T;
/** A command with its options, as `ridgepoint NAME` declares them; a wrong value throws. */
async function declared(name: string): Promise<CommandUnknownOpts> {
  const command = new Command(name);
  (await COMMANDS.find((entry) => entry.name === name)!.load()).declare(command);
  return command.exitOverride();
}

interface ChooseTests {
  kitTests: (root: string) => string[];
  sourcesOf: (root: string, tests: string[], typescript: unknown) => { files: string[]; packages: string[] };
}
const { kitTests, sourcesOf } = await load<ChooseTests>('choose-tests.mjs');
const { KIT_LIMIT, isNeeded, packageFolders, testSources, checkSize } = await load<Select>('select.mjs');
const { TOTAL_SECONDS, DRIVER_SECONDS, isDone, stages, secondsFor, ownSeconds, resultName } =
  await load<Stages>('stages.mjs');
const { attempts, nvidiaManifests } = await load<Driver>('driver.mjs');

const scratch = mkdtempSync(join(tmpdir(), 'ridgepoint-kit-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('what the kit packs', () => {
  it('leaves out what only compilers and people read, but no licence', () => {
    const wanted = [
      'index.js',
      'dist/a.mjs',
      'build/x.cjs',
      'src/index.js',
      'data.json',
      'LICENSE',
      'LICENSE.md',
      'lib/b.wasm',
    ];
    const unwanted = ['index.d.ts', 'a.d.mts', 'src/a.ts', 'index.js.map', 'README.md', 'test/a.js', 'docs/index.html'];
    expect(wanted.filter(isNeeded)).toEqual(wanted);
    expect(unwanted.filter(isNeeded)).toEqual([]);
  });

  it('follows what packages need, nested ones first, for this platform', () => {
    const packages: Record<string, Entry> = {
      'node_modules/a': {
        dependencies: { b: '1', c: '1' },
        optionalDependencies: { gone: '1', mac: '1', native: '1' },
      },
      'node_modules/b': { dependencies: { a: '1' } },
      'node_modules/a/node_modules/c': { dependencies: { d: '1' } },
      'node_modules/c': {},
      'node_modules/d': {},
      'node_modules/mac': { os: ['darwin'] },
      'node_modules/native': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
      'node_modules/unused': {},
    };
    const found = packageFolders({ packages }, ['a']);
    expect(found).toEqual(['a', 'a/node_modules/c', 'b', 'd', 'native'].map((name) => `node_modules/${name}`));
    expect(packageFolders({ packages }, ['a'], { alone: new Set(['a']) })).toEqual(['node_modules/a']);
    expect(() => packageFolders({ packages }, ['e'])).toThrow('e, needed by the kit, is not in package-lock.json');
    expect(() => packageFolders({ packages }, ['b'], { exists: () => false })).toThrow(
      /not installed; run "npm run setup"/,
    );
  });

  it('takes the tests with what they are made of under test/', () => {
    const imports: Record<string, string[]> = {
      'test/kernels/a.test.ts': ['vitest', 'node:fs', '../support/s.js', '../../src/gpu/gpu.js', '@scope/name/sub'],
      'test/support/s.ts': ['./t.js', '../kernels/a.test.js'],
      'test/support/t.ts': ['fast-check'],
    };
    const { files, packages } = testSources(['test/kernels/a.test.ts'], (path) => imports[path]);
    expect(files).toEqual(Object.keys(imports).sort());
    expect(packages).toEqual(['@scope/name', 'fast-check', 'vitest']);
  });

  it('has every package that its tests are made of', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Entry>;
    };
    const tests = kitTests(root);
    const { files, packages } = sourcesOf(root, tests, typescript);
    expect(tests.length).toBeGreaterThan(30);
    expect(files).toEqual(expect.arrayContaining(tests));
    expect(packageFolders(lock, packages)).toEqual(
      expect.arrayContaining(packages.map((name) => `node_modules/${name}`)),
    );
  });

  it('is refused above its limit, the largest file named first', () => {
    expect(checkSize({ a: 10, b: 20 })).toBe(30);
    expect(() => checkSize({ small: 1, large: KIT_LIMIT })).toThrow(
      'the kit is 60.0 MiB, above its limit of 60.0 MiB: large 60.0 MiB, small 0.0 MiB',
    );
    const MiB = 1 << 20;
    expect(checkSize({ a: 40 * MiB }, 20 * MiB)).toBe(40 * MiB);
    expect(() => checkSize({ a: 40 * MiB }, 21 * MiB)).toThrow(
      'the kit is 40.0 MiB, above its limit of 60.0 MiB with the 21.0 MiB of the checkout: a 40.0 MiB',
    );
  });
});

describe('what the kit runs', () => {
  const plan = (machine: { quick: boolean; gpuBytes?: number; peer?: boolean }) =>
    stages({ ...machine, adapter: 'Some GPU' }, { out: '/out', details: '/details' });
  const names = (list: Stage[]) => list.map(({ name }) => name);

  it('is the large model only where it may fit, and the built-in one on software', () => {
    const large = names(plan({ quick: false, gpuBytes: 24 * 2 ** 30 }));
    expect(large).toContain('bench llama-2-7b');
    expect(large.slice(0, 9)).toEqual([
      ...['probe', 'bench llama-2-7b untuned', 'bench llama-2-7b', 'bench kernels', 'bench kernels unchecked'],
      ...['peer', 'load llama-2-7b', 'correctness', 'calibrate'],
    ]);
    expect(names(plan({ quick: false }))).toContain('bench llama-2-7b');
    const small = plan({ quick: false, gpuBytes: 16 * 2 ** 30 });
    expect(names(small)).not.toContain('bench llama-2-7b');
    expect(names(small)).toEqual(expect.arrayContaining(['bench tinyllama-1.1b int4', 'bench kernels']));
    expect(small.find(({ name }) => name === 'bench kernels')!.args).toContain('tinyllama-1.1b');
    expect(names(plan({ quick: true })).filter((name) => name.startsWith('bench'))).toEqual(['bench tiny-tales']);
  });

  it('leaves PyTorch out where its figures are given', () => {
    expect(names(plan({ quick: false, peer: false }))).not.toContain('peer');
  });

  it('asks the command line for nothing that it does not know', async () => {
    const asked = [...plan({ quick: false }), ...plan({ quick: true })].filter(
      ({ script, python }) => script === undefined && python === undefined,
    );
    expect(new Set(asked.map(({ args }) => args[0]))).toEqual(new Set(['bench', 'calibrate', 'compare', 'profile']));
    for (const { args } of asked) {
      let command = await declared(args[0]);
      let rest = args.slice(1);
      const inner = command.commands.find((each) => each.name() === rest[0]);
      if (inner !== undefined) [command, rest] = [inner, rest.slice(1)];
      const { operands, unknown } = command.parseOptions(rest);
      expect({ args, unknown, operands }).toEqual({
        args,
        unknown: [],
        operands: args[0] === 'compare' ? [args[1]] : [],
      });
    }
  });

  it('leaves at most eight files, summary and details among them', () => {
    const files = new Set(plan({ quick: false }).flatMap(({ file }) => (file?.startsWith('/out/') ? [file] : [])));
    expect(files.size + ['summary.json', 'report.html', 'details.tar.gz'].length).toBeLessThanOrEqual(8);
  });

  it('asks TTFT and TPOT where they are promised, tuned and not, and every variant with and without checks', () => {
    const list = plan({ quick: false });
    const of = (name: string) => list.find((stage) => stage.name === name)!.args.join(' ');
    expect(of('bench llama-2-7b')).toContain('--prompts 128,512,2048 --contexts 16,512,2048 --batches 1,8,32');
    expect(of('bench llama-2-7b')).not.toContain('--no-autotune');
    expect(of('bench llama-2-7b untuned')).toContain('--no-autotune');
    expect(of('bench kernels')).not.toContain('--unchecked');
    expect(of('bench kernels unchecked')).toContain('--unchecked');
    expect(of('correctness')).toContain('--workers 8');
  });

  it('has a plan that fits one call of ten minutes, and limits that fit a quarter of an hour', () => {
    const list = plan({ quick: false });
    for (const { name, plan: planned, limit } of list) expect(planned, name).toBeLessThanOrEqual(limit);
    const sum = (what: 'plan' | 'limit') => list.reduce((total, stage) => total + stage[what], 0);
    expect(sum('plan') + 30).toBeLessThanOrEqual(TOTAL_SECONDS);
    expect(DRIVER_SECONDS + sum('limit')).toBeLessThanOrEqual(15 * 60);
  });

  it('has stages that end by themselves: what a machine is too slow for is left out, not cut off', () => {
    const list = plan({ quick: false });
    const kernels = list.filter(({ name }) => name.startsWith('bench kernels'));
    expect(kernels).toHaveLength(2);
    for (const { args } of kernels) expect(args).toContain('--within-budget');
    const own = list.filter(({ endsItself }) => endsItself).map(({ name }) => name);
    expect(own).toEqual(['load llama-2-7b', 'correctness']);
    for (const limit of [3, 25, 60, 90]) {
      expect(ownSeconds(limit)).toBeLessThan(limit);
      expect(ownSeconds(limit)).toBeGreaterThanOrEqual(Math.min(1, limit - 2));
    }
    expect(ownSeconds(90)).toBe(82);
  });

  it('runs again in a second call what did not end by itself', () => {
    expect(isDone({ name: 'probe', exit: 0 })).toBe(true);
    for (const exit of [124, 139, 1, null]) expect(isDone({ name: 'bench kernels', exit })).toBe(false);
    expect(isDone({ name: 'correctness', exit: 1 }, { tests: { complete: true } })).toBe(true);
    expect(isDone({ name: 'correctness', exit: 124 }, { tests: { complete: false } })).toBe(false);
  });

  it('keeps time for what comes last', () => {
    expect(TOTAL_SECONDS).toBeLessThan(10 * 60);
    expect(secondsFor({ limit: 60 }, 400)).toBe(60);
    expect(secondsFor({ limit: 60 }, 50)).toBe(30);
    expect(secondsFor({ limit: 60 }, 22)).toBe(0);
    expect(secondsFor({ limit: 15, closing: true }, 20)).toBe(15);
    expect(secondsFor({ limit: 15, closing: true }, -5)).toBe(0);
  });

  it('names results after adapter, driver and day', () => {
    const date = '2026-11-21T05:00:00.000Z';
    expect(resultName('NVIDIA H200', 'NVIDIA: 580.159.04 580.159.4.0', date)).toBe('nvidia-h200_580.159.04_2026-11-21');
    expect(resultName('llvmpipe (LLVM 15.0.6, 256 bits)', 'Mesa', date)).toBe('llvmpipe_mesa_2026-11-21');
  });
});

describe('where the kit looks for a GPU', () => {
  const machine = { env: {}, unpacked: '/kit', manifests: [], hasNvidia: false, software: false };

  it('begins with the way the machine is set up when nothing speaks of NVIDIA', () => {
    const list = attempts(machine);
    expect(list.map(({ name }) => name)).toEqual(['as the machine is set up', 'software driver of the kit']);
    expect(list[0].env.LD_LIBRARY_PATH?.split(':')[0]).toBe('/kit/lib');
    expect(attempts({ ...machine, hasNvidia: true, software: true })).toHaveLength(2);
  });

  it('tries what the user chose, then NVIDIA’s manifest, then the kit’s own', () => {
    const env = { VK_DRIVER_FILES: '/own.json', LD_LIBRARY_PATH: '/mine' };
    const list = attempts({ ...machine, env, hasNvidia: true, manifests: ['/etc/nvidia_icd.json'] });
    const chosen = list.map(({ env: changes }) => ('VK_DRIVER_FILES' in changes ? changes.VK_DRIVER_FILES : 'kept'));
    const own = ['/kit/libGLX_nvidia.so.0.json', '/kit/libEGL_nvidia.so.0.json'];
    expect(chosen).toEqual(['kept', '/etc/nvidia_icd.json', '/etc/nvidia_icd.json', ...own, undefined, undefined]);
    expect(list[2].env.LD_LIBRARY_PATH).toMatch(/^\/kit\/lib:\/kit\/spare:.*\/mine$/);
  });

  it('finds NVIDIA’s manifests, not its layers', () => {
    const folders = ['one', 'two'].map((name) => join(scratch, name));
    folders.forEach((folder) => mkdirSync(folder));
    for (const name of ['nvidia_icd.json', 'nvidia_layers.json', 'lvp_icd.x86_64.json']) {
      folders.forEach((folder) => writeFileSync(join(folder, name), '{}'));
    }
    expect(nvidiaManifests([...folders, join(scratch, 'three')])).toEqual([join(folders[0], 'nvidia_icd.json')]);
  });
});

describe.skipIf(process.platform === 'win32')('run.sh', () => {
  it('says how it is used, and what was wrong, before anything is unpacked', () => {
    const run = (...args: string[]) =>
      spawnSync('bash', [join(root, 'scripts/kit/run.sh'), ...args], { encoding: 'utf8' });
    expect(run('--help').stdout).toContain(
      'usage: run.sh [--quick | --full] [--software] [--seconds N] [--keep FOLDER] [--resume FOLDER] [--peer FILE] [FOLDER]',
    );
    expect(run('--resume', scratch)).toMatchObject({ status: 2 });
    expect(run('--peer', join(scratch, 'absent.json')).stderr).toMatch(/^run\.sh: --peer needs a file, found/);
    expect(run('--wrong')).toMatchObject({ status: 2, stderr: 'run.sh: unknown option --wrong; see run.sh --help\n' });
  });

  it('leaves a summary where it cannot unpack', () => {
    const out = join(scratch, 'out');
    const { status, stderr } = spawnSync('bash', [join(root, 'scripts/kit/run.sh'), out], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('runtime.tar.xz cannot be unpacked');
    const { stdout } = spawnSync('cat', [join(out, 'summary.json')], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ stages: [{ name: 'unpack', exit: 1 }] });
  });
});

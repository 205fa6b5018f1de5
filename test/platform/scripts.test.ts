import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { root, runModule } from './child.js';

interface LockModule {
  withLock: <T>(
    path: string,
    action: () => Promise<T>,
    options?: { onWait?: () => void; stale?: number },
  ) => Promise<T>;
}
interface CliModule {
  startArguments: (args: string[], commands: ReadonlySet<string>) => string[];
  knownCommands: (root: string) => Promise<Set<string>>;
}
interface FreshnessModule {
  freshness: (root: string) => {
    packagesAreFresh(): boolean;
    packagesInstalled(): void;
    sources(): string;
    buildIsFresh(): boolean;
    built(fingerprint: string): void;
  };
}
const script = (name: string) => pathToFileURL(join(root, 'scripts', name)).href;
const { withLock } = (await import(script('lock.mjs'))) as LockModule;
const { startArguments, knownCommands } = (await import(script('cli.mjs'))) as CliModule;
const { freshness } = (await import(script('freshness.mjs'))) as FreshnessModule;

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'ridgepoint-scripts-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the set-up lock', () => {
  const lock = () => join(folder, 'setup.lock');
  const forge = async (token: string, age: number) => {
    await mkdir(lock());
    const owner = join(lock(), 'owner');
    await writeFile(owner, token);
    const time = new Date(Date.now() - age);
    await utimes(owner, time, time);
  };

  it('lets one process in at a time', async () => {
    const log = join(folder, 'log');
    const child = `
      import { appendFileSync } from 'node:fs';
      import { withLock } from ${JSON.stringify(script('lock.mjs'))};
      await withLock(${JSON.stringify(lock())}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in\\n');
        await new Promise((resolve) => setTimeout(resolve, 150));
        appendFileSync(${JSON.stringify(log)}, 'out\\n');
      });
    `;
    const results = await Promise.all(Array.from({ length: 5 }, () => runModule(child)));
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, '']));
    expect(await readFile(log, 'utf8')).toBe('in\nout\n'.repeat(5));
    expect(await readdir(folder)).toEqual(['log']);
  });

  it('is let go when the work fails', async () => {
    await expect(withLock(lock(), () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(existsSync(lock())).toBe(false);
  });

  it('is taken from a process of this host that is no more', async () => {
    const { stdout } = await runModule('console.log(process.pid)');
    await forge(`${hostname()} ${stdout.trim()} x`, 0);
    expect(await withLock(lock(), () => Promise.resolve('taken'))).toBe('taken');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is taken from a holder elsewhere that fell silent, and waited for while it is not', async () => {
    await forge('elsewhere 1 x', 0);
    let waits = 0;
    await withLock(lock(), () => Promise.resolve(), { onWait: () => waits++, stale: 700 });
    expect(waits).toBe(1);
  });
});

describe('what set-up finds stale', () => {
  it('is the packages when the lock file changed since', async () => {
    await writeFile(join(folder, 'package-lock.json'), '{}');
    const fresh = freshness(folder);
    expect(fresh.packagesAreFresh()).toBe(false);
    fresh.packagesInstalled();
    expect(fresh.packagesAreFresh()).toBe(true);
    await writeFile(join(folder, 'package-lock.json'), '{ }');
    expect(fresh.packagesAreFresh()).toBe(false);
    await writeFile(join(folder, 'node_modules', '.package-lock.json'), '{}');
    expect(fresh.packagesAreFresh()).toBe(true);
  });

  it('is the build when a source was edited, added or deleted', async () => {
    const [source, added] = ['a.ts', 'b.ts'].map((name) => join(folder, 'src', name));
    await mkdir(join(folder, 'src'));
    await mkdir(join(folder, 'dist', 'src'), { recursive: true });
    await writeFile(source, 'one');
    const fresh = freshness(folder);
    const rebuild = () => {
      expect(fresh.buildIsFresh()).toBe(false);
      fresh.built(fresh.sources());
      expect(fresh.buildIsFresh()).toBe(true);
    };
    rebuild();
    await writeFile(source, 'three');
    rebuild();
    await writeFile(added, '');
    rebuild();
    await rm(added);
    rebuild();
    await rm(join(folder, 'dist', 'src'), { recursive: true });
    expect(fresh.buildIsFresh()).toBe(false);
  });
});

describe('npm start', () => {
  const commands = new Set(['generate', 'devices']);
  it.each([
    [[], ['--help']],
    [['Once upon a time'], ['generate', 'Once upon a time']],
    [
      ['--max-tokens', '5', 'Once'],
      ['generate', '--max-tokens', '5', 'Once'],
    ],
    [
      ['devices', '--json'],
      ['devices', '--json'],
    ],
    [['--version'], ['--version']],
    [[''], ['generate', '']],
  ])('takes %j as %j', (args, expected) => expect(startArguments(args, commands)).toEqual(expected));

  it.runIf(existsSync(join(root, 'dist', 'src', 'cli', 'main.js')))('knows the commands there are', async () => {
    const known = await knownCommands(root);
    expect(known).toContain('generate');
    expect(known).toContain('devices');
  });
});

it('the package root holds the models, from the sources and from the build', async () => {
  expect(packageRoot()).toBe(root);
  const url = pathToFileURL(join(root, 'dist', 'src', 'platform', 'node', 'package-root.js')).href;
  const fromBuild = (await import(url)) as { packageRoot(): string };
  expect(fromBuild.packageRoot()).toBe(root);
  expect(existsSync(join(root, 'models'))).toBe(true);
});

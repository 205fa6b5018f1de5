import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const root = new URL('../../', import.meta.url);

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!analyze) console.warn('the unit is not verified here: systemd-analyze is not there');

/** The default of `--shutdown-timeout`, in seconds. */
const SHUTDOWN_S = 60;

describe('the unit for systemd', () => {
  const unit = read('docs/operating/ridgepoint.service');

  it.skipIf(!analyze)('is one that systemd takes without a word', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-unit-'));
    const verify = (text: string): string => {
      const file = join(folder, 'ridgepoint.service');
      writeFileSync(file, text.replace('/usr/bin/node', process.execPath));
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
      return (stdout + stderr)
        .split('\n')
        .filter((line) => line.includes('ridgepoint'))
        .join('\n');
    };
    expect(verify(unit)).toBe('');
    expect(verify(unit.replace('KillSignal', 'KillSignl'))).toContain('KillSignl');
    rmSync(folder, { recursive: true });
  });

  it('starts Node itself and leaves streams the time to end', () => {
    expect(unit).toMatch(/^ExecStart=\/\S*\/node /m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1])).toBeGreaterThan(SHUTDOWN_S);
  });
});

describe('the Dockerfile', () => {
  const text = read('docs/operating/Dockerfile');

  it('starts Node itself, on a script that is there, as a user who may write to the cache alone', () => {
    const [command, script, ...flags] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)![1]) as string[];
    expect(command).toBe('node');
    expect(existsSync(new URL(script, root))).toBe(true);
    expect(flags[0]).toBe('serve');
    expect(text).toMatch(/^USER node$/m);
  });

  it('has drivers that are new enough, and what those of a vendor need', () => {
    const [, mesa] = /on Debian (\d+) or a current Ubuntu/.exec(read('docs/using.md'))!;
    expect({ trixie: '13' }[/^FROM node:\d+-(\w+)-slim$/m.exec(text)![1]], 'the Debian that docs name').toBe(mesa);
    for (const library of ['libvulkan1', 'mesa-vulkan-drivers', 'libxext6', 'libegl1']) {
      expect(text).toMatch(new RegExp(`^  && apt-get install .* ${library}\\b`, 'm'));
    }
  });

  it('asks after health in a way that tells 200 from 503', () => {
    const [, command, ...args] = JSON.parse(
      /^HEALTHCHECK .*CMD (.*)$/m.exec(text)![1].replace('[', '["",'),
    ) as string[];
    expect(command).toBe('node');
    const answers = (ok: boolean): string =>
      args[1].replace('fetch(', `((url) => Promise.resolve({ ok: ${ok}, url }))(`);
    execFileSync(process.execPath, ['-e', answers(true)]);
    expect(spawnSync(process.execPath, ['-e', answers(false)]).status).toBe(1);
  });

  it('copies nothing that was built or installed outside', () => {
    const ignored = read('docs/operating/Dockerfile.dockerignore').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', 'dist', '.git']));
  });
});

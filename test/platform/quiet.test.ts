import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { built, nodeCommand, quoted, run, runModule } from './child.js';

/**
 * What a child does: a line before, one written straight to descriptor 2 while it is quiet (as Dawn does), one after
 * by each of the two ways, and the number of open descriptors, which must not grow.
 */
const BODY = `
  import { readdirSync, writeSync } from 'node:fs';
  import { quietly, whenFilesRest } from ${built('platform/node/quiet.js')};
  void process.stdout; // opens descriptors when first touched
  process.stderr.write('before\\n');
  const count = () => readdirSync('/proc/self/fd').length;
  const open = count();
  for (let i = 0; i < 3; i++) {
    await whenFilesRest();
    quietly(() => { try { writeSync(2, 'noise\\n'); } catch {} });
  }
  process.stderr.write('after\\n');
  try { writeSync(2, 'direct\\n'); } catch {}
  process.stdout.write(count() - open + ' leaked\\n');
`;
const KEPT = 'before\nafter\ndirect\n';
/** Neither `script` nor a place for pseudo-terminals is sure to be there. */
const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

const NOT_HIDDEN = 'before\nnoise\nnoise\nnoise\nafter\ndirect\n';

describe.skipIf(process.platform !== 'linux')('quietly', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'ridgepoint-quiet-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const shell = (command: string) => run('bash', ['-c', command]);
  const seen = (stdout: string) => stdout.replaceAll('\r', '').replace(/\d+ leaked\n/, '');

  it('hides what goes to a pipe, and the pipe works afterwards', async () => {
    const { stdout, code } = await shell(`{ ${nodeCommand(BODY)} 3>&1 1>&2 2>&3 | cat >&1; } 2>/dev/null`);
    expect([stdout, code]).toEqual([KEPT, 0]);
  });

  it('hides what goes to a pipe that standard output shares', async () => {
    const { stdout } = await shell(`${nodeCommand(BODY)} 2>&1 | cat`);
    expect(stdout).toBe(`${KEPT}0 leaked\n`);
  });

  it.runIf(hasTerminals)('hides what goes to a terminal', async () => {
    const { stdout } = await shell(`script -qec ${quoted(nodeCommand(BODY))} /dev/null </dev/null`);
    expect(seen(stdout)).toBe(KEPT);
    expect(stdout).toContain('0 leaked');
  });

  it('hides what is appended to a file, and appends behind what is there', async () => {
    const log = join(folder, 'appended');
    await writeFile(log, 'earlier\n');
    await shell(`{ ${nodeCommand(BODY)}; echo later >&2; } 2>>${quoted(log)}`);
    expect(await readFile(log, 'utf8')).toBe(`earlier\n${KEPT}later\n`);
  });

  /** A folder with nothing but what a shell needs, where `prlimit` is not found. */
  const bare = 'export PATH=/nonexistent;';

  it.runIf(hasLimits)('keeps a plain file from growing, whose offset the shell and standard output share', async () => {
    const log = join(folder, 'limited');
    await shell(`{ echo earlier; ${nodeCommand(BODY)}; echo later; } >${quoted(log)} 2>&1`);
    expect(await readFile(log, 'utf8')).toBe(`earlier\n${KEPT}0 leaked\nlater\n`);
  });

  it.runIf(hasLimits)('leaves the limit on the size of files as it was', async () => {
    const log = join(folder, 'limit');
    const body = `${BODY}\nconst { readFileSync } = await import('node:fs'); process.stdout.write(/^Max file size.*/m.exec(readFileSync('/proc/self/limits', 'utf8'))[0]);`;
    const { stdout } = await shell(`ulimit -S -f 4096; ${nodeCommand(body)} 2>${quoted(log)}`);
    expect(stdout).toMatch(/Max file size +4194304 +/);
    expect(await readFile(log, 'utf8')).toBe(KEPT);
  });

  it('leaves a plain file alone without that', async () => {
    const log = join(folder, 'plain');
    await shell(`${bare} { echo earlier; ${nodeCommand(BODY)}; echo later; } >${quoted(log)} 2>&1`);
    expect(await readFile(log, 'utf8')).toBe(`earlier\n${NOT_HIDDEN}0 leaked\nlater\n`);
  });

  it('writes blanks over warnings in a plain file, and over nothing else', async () => {
    const log = join(folder, 'warned');
    const warned = BODY.replaceAll('noise', 'Warning: maxDynamic');
    await shell(`${bare} { echo earlier; ${nodeCommand(warned)}; echo later; } >${quoted(log)} 2>&1`);
    const blank = `${' '.repeat('Warning: maxDynamic'.length)}\n`;
    expect(await readFile(log, 'utf8')).toBe(`earlier\nbefore\n${blank.repeat(3)}after\ndirect\n0 leaked\nlater\n`);
  });

  it('leaves a socket alone', async () => {
    // Node gives its children sockets where it says pipe.
    const { stderr, stdout, code } = await runModule(BODY);
    expect([stderr, stdout, code]).toEqual([NOT_HIDDEN, '0 leaked\n', 0]);
  });

  it('bears a closed standard error', async () => {
    const { stdout, code } = await shell(`${nodeCommand(BODY)} 2>&-`);
    expect([stdout, code]).toEqual(['0 leaked\n', 0]);
  });

  it('does not wait for ever on a pipe whose reader has gone', async () => {
    const quietOnly = BODY.replaceAll(/process\.stderr\.write\(.*?\);/g, 'void process.stderr;');
    const { stdout, code } = await shell(`exec 5> >(exec true); sleep 0.3; ${nodeCommand(quietOnly)} 2>&5`);
    expect([stdout, code]).toEqual(['0 leaked\n', 0]);
  });

  it('leaves descriptor 2 alone while files are being opened in the background', async () => {
    const busy = `
      import { writeSync } from 'node:fs';
      import { open } from 'node:fs/promises';
      import { quietly, whenFilesRest } from ${built('platform/node/quiet.js')};
      const opening = open('/dev/null');
      quietly(() => writeSync(2, 'seen\\n'));
      await whenFilesRest();
      quietly(() => writeSync(2, 'hidden\\n'));
      await opening;
    `;
    const { stdout } = await shell(`${nodeCommand(busy)} 2>&1 | cat`);
    expect(stdout).toBe('seen\n');
  });

  it('gives back the result, and standard error also after an error', async () => {
    const failing = `
      import { quietly } from ${built('platform/node/quiet.js')};
      console.error(quietly(() => 42));
      try { quietly(() => { throw new Error('thrown'); }); } catch (error) { console.error(error.message); }
    `;
    const { stdout } = await shell(`${nodeCommand(failing)} 2>&1 | cat`);
    expect(stdout).toBe('42\nthrown\n');
  });
});

import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

const { O_RDWR, O_WRONLY, O_APPEND, O_NOCTTY } = constants;
const O_ACCMODE = 3;
const STDERR = 2;

/** How long `whenFilesRest` waits, and `takeStderr` tries, in milliseconds. */
const PATIENCE = 50;

/**
 * Runs `action` with file descriptor 2 pointing nowhere, so that what native code prints there is not seen, and points
 * it back. Dawn has no setting for its warnings about a driver's limits, and Node cannot duplicate a descriptor: so the
 * descriptor is closed and opened again through `/proc`. That cannot be done for every kind of standard error. A plain
 * file is kept from growing by a limit on the size of files; without `prlimit` the lines are written over with blanks.
 * Else (a socket, a closed descriptor, no `/proc`, files being opened meanwhile) the action just runs and its lines are
 * seen.
 *
 * `action` must do its printing synchronously.
 */
export function quietly<T>(action: () => T): T {
  const restore = silence() ?? stopGrowth() ?? blankAfterwards();
  try {
    return action();
  } finally {
    restore?.();
  }
}

/**
 * Waits a little until no file is being opened in the background: such an open could take descriptor 2 in the moment
 * it is free, and `quietly` does nothing while there is one.
 */
export async function whenFilesRest(): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (filesAreBusy() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
}

function filesAreBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|Get(Addr|Name)Info)/.test(name));
}

/** Points descriptor 2 at nothing. Returns what undoes it, or undefined where nothing was done. */
function silence(): (() => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  const kept: number[] = [];
  const letGo = () => kept.forEach((descriptor) => closeSync(descriptor));
  let flags: number;
  try {
    const known = reopenFlags();
    if (known === undefined || filesAreBusy() || process.stderr.writableLength > 0) return undefined;
    flags = known;
    // First a reading end, in case it is a pipe: opening one to write waits for ever when its reader has gone.
    if (fstatSync(STDERR).isFIFO()) kept.push(openSync(`/proc/self/fd/${STDERR}`, O_RDWR));
    kept.push(openSync(`/proc/self/fd/${STDERR}`, flags));
  } catch {
    letGo();
    return undefined;
  }
  const saved = kept.at(-1)!;
  closeSync(STDERR);
  const silenced = takeStderr('/dev/null', O_WRONLY);
  return () => {
    if (silenced) closeSync(STDERR);
    takeStderr(`/proc/self/fd/${saved}`, flags);
    letGo();
  };
}

/**
 * Keeps a plain file from growing: what native code writes past its end fails, and Node ignores the signal that comes
 * with it. No file of this process can grow beyond that size meanwhile; a driver's cache of shaders, which might, is
 * written by processes that come later. Returns what lifts the limit.
 */
function stopGrowth(): (() => void) | undefined {
  try {
    if (process.platform !== 'linux' || filesAreBusy() || !fstatSync(STDERR).isFile()) return undefined;
    const before = /^Max file size\s+(unlimited|\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    const end = position();
    if (before === undefined || Number.isNaN(end) || !limitFileSize(String(end))) return undefined;
    return () => {
      // Nothing could be written from here on, so it is tried again, and is no matter to pass over.
      for (let tries = 0; tries < 3; tries++) if (limitFileSize(before)) return;
      throw new Error(`the limit on the size of files could not be set back to ${before}`);
    };
  } catch {
    return undefined;
  }
}

/** Sets the soft limit alone, so that it can be set back. */
function limitFileSize(bytes: string): boolean {
  const { status } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });
  return status === 0;
}

/**
 * Notes where a plain file ends. Returns what writes blanks over the warnings that have been added since: to move back
 * to where they began is not in Node's power, and whoever shares the file writes on behind them.
 */
function blankAfterwards(): (() => void) | undefined {
  try {
    if (process.platform !== 'linux' || !fstatSync(STDERR).isFile()) return undefined;
    const begin = position();
    return () => {
      const length = position() - begin;
      if (!(length > 0)) return;
      const file = openSync(`/proc/self/fd/${STDERR}`, O_RDWR);
      try {
        const bytes = Buffer.alloc(length);
        readSync(file, bytes, 0, length, begin);
        if (/^(?:Warning: .*\n)+$/.test(bytes.toString())) writeSync(file, `${' '.repeat(length - 1)}\n`, begin);
      } finally {
        closeSync(file);
      }
    };
  } catch {
    return undefined; // the lines are seen
  }
}

function position(): number {
  return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${STDERR}`, 'latin1'))?.[1] ?? NaN);
}

/**
 * With which flags standard error can be opened anew such that nobody notices; undefined where somebody would. A plain
 * file is one such: a new opening starts at its own offset, and whoever shares the old one would write over our lines.
 */
function reopenFlags(): number | undefined {
  const status = fstatSync(STDERR);
  if (status.isFIFO()) return O_WRONLY;
  const flags = parseInt(
    /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${STDERR}`, 'latin1'))?.[1] ?? '',
    8,
  );
  if (Number.isNaN(flags)) return undefined;
  if (isatty(STDERR)) return (flags & O_ACCMODE) | O_NOCTTY;
  return status.isFile() && flags & O_APPEND ? (flags & O_ACCMODE) | O_APPEND : undefined;
}

/**
 * Opens `path` as descriptor 2, which is free: the lowest free number is given out. Should a thread of a driver have
 * taken the number meanwhile, it will give it back soon.
 */
function takeStderr(path: string, flags: number): boolean {
  const end = performance.now() + PATIENCE;
  do {
    const descriptor = openSync(path, flags);
    if (descriptor === STDERR) return true;
    closeSync(descriptor);
  } while (performance.now() < end);
  return false;
}

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, disk } from './disk.js';
import { isRunning } from './whole-file.js';

/** A holder touches its lock this often; one of another machine that was not touched for `STALE` is gone. */
const HEARTBEAT = 1000;
const STALE = 30_000;
const POLL = 100;

export interface LockOptions {
  /** Called once when there is somebody to wait for, with the process that holds the lock. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal;
}

interface Holder {
  readonly token: string;
  readonly touched: number;
}

/** A lock that is held. */
export interface Lock {
  /** Lets go; the lock is gone, or somebody else's, when this resolves. */
  release(): Promise<void>;
}

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  constructor(
    /** The process that does, in words. */
    readonly holder: string,
  ) {
    super(`${holder} holds the lock`);
  }
}

/**
 * Takes the lock folder `path`, waiting for whoever holds it. The lock dies with its holder: one on this machine is known
 * by its process, when that was started included; one elsewhere, on a disk that machines share, by its silence.
 *
 * @throws LockHeld when it is held and there is to be no waiting; the signal's reason when aborted while waiting; the
 *   file system's error where no lock can be made
 */
export async function takeLock(path: string, options: LockOptions & { wait?: boolean } = {}): Promise<Lock> {
  const token = [machine(), process.pid, startOf(process.pid), Math.random().toString(36).slice(2)].join(' ');
  for (let waited = false; !(await take(path, token));) {
    options.signal?.throwIfAborted();
    const holder = await read(path);
    if (holder !== undefined && isDead(holder)) {
      await breakLock(path, holder.token);
      continue;
    }
    if (options.wait === false && holder !== undefined) throw new LockHeld(processOf(holder));
    if (!waited && holder !== undefined) options.onWait?.(processOf(holder));
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
  const now = (): Date => new Date();
  const beat = setInterval(
    () => void disk.utimes(join(path, 'owner'), now(), now()).catch(() => undefined),
    HEARTBEAT,
  ).unref();
  return {
    async release() {
      clearInterval(beat);
      if ((await read(path))?.token === token) await letGo(path);
    },
  };
}

/** Runs `action` while holding the lock folder `path`, as `takeLock`. */
export async function withLock<T>(path: string, action: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const lock = await takeLock(path, options);
  try {
    return await action();
  } finally {
    await lock.release();
  }
}

/** Takes the lock, its owner's name already in it: a folder cannot be renamed onto one that is not empty. */
async function take(path: string, token: string): Promise<boolean> {
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await disk.mkdir(dirname(path), { recursive: true });
  await disk.mkdir(mine);
  try {
    const owner = await disk.open(join(mine, 'owner'), 'wx');
    try {
      await owner.writeFile(token);
    } finally {
      await owner.close();
    }
    await disk.rename(mine, path);
    return true;
  } catch (error) {
    await remove(mine);
    if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** Removes a lock in one step: somebody may take a folder that is being emptied. */
async function letGo(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.done`;
  await disk.rename(path, aside);
  await remove(aside);
}

async function read(path: string): Promise<Holder | undefined> {
  try {
    const owner = join(path, 'owner');
    return { token: await disk.readFile(owner, 'utf8'), touched: (await disk.stat(owner)).mtimeMs };
  } catch {
    return undefined; // let go a moment ago
  }
}

const processOf = ({ token }: Holder): string => {
  const [host, pid] = token.split(' ');
  return host === machine() ? `process ${pid}` : `process ${pid} on ${host.split('/')[0]}`;
};

function isDead({ token, touched }: Holder): boolean {
  const [host, pid, start] = token.split(' ');
  if (host !== machine()) return Date.now() - touched > STALE;
  // A number may have been given to another process meanwhile.
  return !isRunning(Number(pid)) || startOf(Number(pid)) !== start;
}

/** Where process numbers mean the same: the host, and on Linux what of it this process sees. */
function machine(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** When a process was started, as the kernel counts; "?" where that cannot be known. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19]; // a zombie only waits for its parent to take notice
  } catch {
    return '?';
  }
}

/** Removes a dead holder's lock, but not one that somebody took in the meantime. */
async function breakLock(path: string, token: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await disk.rename(path, aside);
  } catch {
    return; // somebody else was faster
  }
  if ((await read(aside))?.token !== token) {
    try {
      await disk.rename(aside, path);
      return;
    } catch {
      // A third process holds it by now.
    }
  }
  await remove(aside);
}

const remove = (path: string): Promise<void> => disk.rm(path, { recursive: true, force: true });

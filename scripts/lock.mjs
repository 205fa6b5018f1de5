import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

/** The holder touches its lock this often; one not touched for `STALE` belongs to a process that is no more. */
const HEARTBEAT = 1000;
const STALE = 15_000;
const POLL = 100;

/**
 * Runs `action` while holding the lock folder `path`, waiting for whoever holds it. A holder that died without letting
 * go is recognised by its process id on this host, elsewhere by its silence.
 *
 * @param {string} path
 * @param {() => Promise<T>} action
 * @param {{ onWait?: () => void, stale?: number }} [options] `onWait` is called once, when there is somebody to wait for
 * @returns {Promise<T>}
 * @template T
 */
export async function withLock(path, action, { onWait, stale = STALE } = {}) {
  const token = `${hostname()} ${process.pid} ${Math.random().toString(36).slice(2)}`;
  for (let waited = false; !take(path, token); waited = true) {
    if (!waited) onWait?.();
    const holder = read(path);
    if (holder && isDead(holder, stale)) breakLock(path, holder.token);
    else await new Promise((resolve) => setTimeout(resolve, POLL));
  }
  const beat = setInterval(() => touch(path), HEARTBEAT);
  try {
    return await action();
  } finally {
    clearInterval(beat);
    if (read(path)?.token === token) letGo(path);
  }
}

/** Removes a lock in one step: somebody may take a folder that is being emptied. */
function letGo(path) {
  const aside = `${path}.${process.pid}.done`;
  renameSync(path, aside);
  rmSync(aside, { recursive: true, force: true });
}

/** Takes the lock, its owner's name already in it: a folder cannot be renamed onto one that is not empty. */
function take(path, token) {
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(mine);
  writeFileSync(join(mine, 'owner'), token);
  try {
    renameSync(mine, path);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(error.code)) return false;
    throw error;
  }
}

function read(path) {
  try {
    const owner = join(path, 'owner');
    return { token: readFileSync(owner, 'utf8'), touched: statSync(owner).mtimeMs };
  } catch {
    return undefined; // let go a moment ago
  }
}

function touch(path) {
  try {
    utimesSync(join(path, 'owner'), new Date(), new Date());
  } catch {
    // Somebody broke the lock, or the folder went; the work is nearly done either way.
  }
}

function isDead({ token, touched }, stale) {
  if (Date.now() - touched > stale) return true;
  const [host, pid] = token.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Removes a dead holder's lock, but not one that somebody took in the meantime. */
function breakLock(path, token) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was faster
  }
  if (read(aside)?.token !== token) {
    try {
      renameSync(aside, path);
      return;
    } catch {
      // A third process holds it by now.
    }
  }
  rmSync(aside, { recursive: true, force: true });
}

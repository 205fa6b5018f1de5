import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The user's folder for files of the project's own that can be made again. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'ridgepoint');
}

/** Where files of the project's own may go, best first: the user's cache, else a folder of theirs among temporary files. */
export function cacheFolders(): string[] {
  return [cacheFolder(), join(tmpdir(), `ridgepoint-${process.getuid?.() ?? 0}`)];
}

/**
 * Makes a folder, private to this user, and says whether it is one: not where somebody else could have filled it, since
 * names among temporary files can be guessed. Throws the file system's error where it cannot be made.
 */
export function isOwn(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  const uid = process.getuid?.();
  return status.isDirectory() && (status.uid === uid || status.uid === 0) && (status.mode & 0o022) === 0;
}

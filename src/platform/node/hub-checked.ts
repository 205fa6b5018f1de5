import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ETAG } from './hub-listing.js';
import { cacheFolders, isOwn } from './own-folder.js';
import { putWhole } from './whole-file.js';

/** The hash that an etag is: SHA-256 of the content, or git's SHA-1 of a header and the content. */
function startHash(etag: string, size: number): Hash {
  return etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/**
 * Whether a file, as it is read back from the disk, has the content that its etag names.
 *
 * @param heard told how many bytes more were read
 */
export async function hasContent(
  path: string,
  etag: string,
  options: { heard?: (bytes: number) => void; signal?: AbortSignal } = {},
): Promise<boolean> {
  const { size } = await stat(path);
  const hash = startHash(etag, size);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal: options.signal })) {
    hash.update(chunk as Buffer);
    options.heard?.((chunk as Buffer).length);
  }
  return hash.digest('hex') === etag;
}

/** A file as it was when its content was checked; the system changes this when somebody writes to it. */
async function stateOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  return `${size} ${mtimeMs} ${ino}`;
}

const recordName = (path: string): string =>
  join('checked', createHash('sha256').update(path).digest('hex').slice(0, 32));

async function isRecorded(path: string): Promise<boolean> {
  const state = await stateOf(path);
  for (const folder of cacheFolders()) {
    const record = await readFile(join(folder, recordName(path)), 'utf8').catch(() => '');
    if (record === state) return true;
  }
  return false;
}

/** Keeps that a file's content was checked, in the first folder that can be written; nowhere if there is none. */
export async function recordChecked(path: string): Promise<void> {
  const state = await stateOf(path);
  for (const folder of cacheFolders()) {
    try {
      if (!isOwn(folder)) continue;
      await putWhole(join(folder, recordName(path)), state);
      return;
    } catch {
      // Read-only or full: the next one may do.
    }
  }
}

/** A file of the cache whose name is its hash, as the Hub's clients keep them; undefined for any other. */
export async function blobOf(path: string): Promise<{ path: string; etag: string } | undefined> {
  const target = await realpath(path).catch(() => undefined);
  return target !== undefined && ETAG.test(basename(target)) ? { path: target, etag: basename(target) } : undefined;
}

/** Whether a blob is what its name says. Read once: the result is kept, and holds until the file is changed. */
export async function isSound(
  { path, etag }: { path: string; etag: string },
  options: { heard?: (bytes: number) => void; signal?: AbortSignal } = {},
): Promise<boolean> {
  if (await isRecorded(path)) {
    options.heard?.((await stat(path)).size);
    return true;
  }
  if (!(await hasContent(path, etag, options))) return false;
  await recordChecked(path);
  return true;
}

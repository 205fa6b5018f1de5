import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RidgepointError } from '../../errors.js';
import { codeOf, disk, isAbsent, whyUnwritable } from './disk.js';

/** What the name of a file ends in until it is whole: who writes it, and which of their files it is. */
const PARTIAL = /\.(\d+)\.\d+\.part$/;

/** Partial files of processes that are no more go after this long, in milliseconds. */
const LEFT_OVER = 3_600_000;

let count = 0;

export interface WholeFileOptions {
  /** What it is called until it is whole; a name of this process's own when absent. */
  readonly partial?: string;
  /** Go on with what is in the partial file already. */
  readonly resume?: boolean;
  /** Permissions of a new file. */
  readonly mode?: number;
}

/**
 * A file that has its name only once it is whole and safe from a crash: written under another name, each piece in full
 * or failing, flushed to the disk, and renamed last. Every file the project writes is written so. Failures are those of
 * the file system.
 */
export class WholeFile {
  readonly #handle: FileHandle;

  private constructor(
    readonly path: string,
    readonly partial: string,
    handle: FileHandle,
    /** Bytes that were there before, of a file that is resumed. */
    readonly had: number,
  ) {
    this.#handle = handle;
  }

  static async open(path: string, options: WholeFileOptions = {}): Promise<WholeFile> {
    const partial = options.partial ?? `${path}.${process.pid}.${++count}.part`;
    const handle = await openPartial(partial, options.resume === true, options.mode);
    try {
      return new WholeFile(path, partial, handle, options.resume === true ? (await handle.stat()).size : 0);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Writes all of the bytes, whatever the system takes at once. */
  async write(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at + done);
      // A system that takes nothing and names no reason would be asked for ever.
      if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
      done += bytesWritten;
    }
  }

  /** Cuts off what lies behind so many bytes. */
  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  /** Resolves when the bytes are where a crash does not reach them; they still have no name. */
  async close(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }

  /** Gives the closed file its name. */
  async name(): Promise<void> {
    await disk.rename(this.partial, this.path);
    await syncFolder(dirname(this.path));
  }

  /** Leaves the bytes where they are, for another run to go on with. */
  leave(): Promise<void> {
    return this.#handle.close();
  }

  /** Removes what was written. The failure that led here counts, not one of this. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await disk.rm(this.partial, { force: true }).catch(() => undefined);
  }
}

async function openPartial(path: string, resume: boolean, mode?: number): Promise<FileHandle> {
  if (resume) {
    try {
      return await disk.open(path, 'r+', mode);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return disk.open(path, 'w', mode);
}

/** Makes a change of names survive a crash, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await disk.open(folder, 'r');
  } catch {
    return; // a folder that may be written but not read, or Windows
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'EBADF', 'EISDIR', 'ENOTSUP', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** As `writeWhole`, with the file system's own errors. */
export async function putWhole(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  await disk.mkdir(dirname(path), { recursive: true });
  await removeLeftOvers(path);
  const file = await WholeFile.open(path, { mode });
  try {
    await file.write(typeof content === 'string' ? new TextEncoder().encode(content) : content, 0);
    await file.close();
    await file.name();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * Writes a file whole or not at all, and the folders it is in.
 *
 * @throws RidgepointError('usage') when it cannot be written; what was there before is as it was
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await putWhole(path, content);
  } catch (cause) {
    throw new RidgepointError('usage', `${path}: cannot be written: ${whyUnwritable(cause)}`, { cause });
  }
}

/**
 * Fails as `writeWhole` to the same path would, before work whose result shall go there is begun.
 *
 * @throws RidgepointError('usage') when a file there cannot be made
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    await disk.mkdir(dirname(path), { recursive: true });
    const isFolder = await disk.stat(path).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (isFolder) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    const file = await WholeFile.open(path);
    await file.discard();
  } catch (cause) {
    throw new RidgepointError('usage', `${path}: cannot be written: ${whyUnwritable(cause)}`, { cause });
  }
}

/** Removes what runs that were killed left of this file. */
async function removeLeftOvers(path: string): Promise<void> {
  const folder = dirname(path);
  const names = await disk.readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    const pid = name.startsWith(`${basename(path)}.`) ? PARTIAL.exec(name)?.[1] : undefined;
    if (pid === undefined || isRunning(Number(pid))) continue;
    const partial = join(folder, name);
    const age = Date.now() - ((await disk.stat(partial).catch(() => undefined))?.mtimeMs ?? Infinity);
    if (age > LEFT_OVER) await disk.rm(partial, { force: true }).catch(() => undefined);
  }
}

/** Whether a process of that number is there, on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

import { readdir, readlink, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isPlainFileName, printable } from '../../checkpoint/source.js';
import { whatFileIs } from '../../checkpoint/mistakes.js';
import type { FileSource, ModelFolder } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';
import { codeOf, isAbsent } from './disk.js';
import { openUnblocked } from './read-whole.js';

/** Node refuses to read 2 GiB or more in one call. */
const MAX_READ_BYTES = 1 << 30;
/** More than any text of a model's folder; a string could not hold it either. */
const MAX_TEXT_BYTES = 400 << 20;

/** The operating system's reason in words a user can act on. */
function reason(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; check who may read it';
  if (code === 'EISDIR') return 'it is a folder, not a file';
  if (code === 'EMFILE' || code === 'ENFILE') return 'too many files are open; raise the limit with "ulimit -n"';
  return (error as Error).message;
}

function unreadable(path: string, error: unknown): RidgepointError {
  return new RidgepointError('checkpoint', `${path}: cannot be read: ${reason(error)}`, { cause: error });
}

class NodeFile implements FileSource {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(
    readonly name: string,
    readonly size: number,
    path: string,
    handle: FileHandle,
  ) {
    this.#path = path;
    this.#handle = handle;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const length = Math.min(into.length - done, MAX_READ_BYTES);
      let bytesRead: number;
      try {
        ({ bytesRead } = await this.#handle.read(into, done, length, offset + done));
      } catch (error) {
        throw unreadable(this.#path, error);
      }
      if (bytesRead === 0) {
        const wanted = `${into.length} bytes at ${offset}`;
        throw new RidgepointError(
          'checkpoint',
          `${this.#path}: ends at byte ${offset + done} while ${wanted} were to be read; download it again`,
        );
      }
      done += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class NodeFolder implements ModelFolder {
  constructor(readonly name: string) {}

  #path(file: string): string {
    if (!isPlainFileName(file)) {
      throw new RidgepointError('checkpoint', `${printable(file)}: is not a file directly inside ${this.name}`);
    }
    return join(this.name, file);
  }

  async open(file: string): Promise<FileSource | undefined> {
    const path = this.#path(file);
    let handle: FileHandle;
    try {
      handle = await openUnblocked(path);
    } catch (error) {
      if (!isAbsent(error)) throw unreadable(path, error);
      const target = await readlink(path).catch(() => undefined);
      if (target === undefined) return undefined;
      // As the Hub's cache has them: what it leads to may have been deleted, or left behind when the folder was copied.
      const gone = `is a link to ${printable(target)}, which is not there`;
      throw new RidgepointError('checkpoint', `${path}: ${gone}; copy the folder with what its links lead to`);
    }
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw new RidgepointError('checkpoint', `${path}: is not a file`);
      return new NodeFile(file, info.size, path, handle);
    } catch (error) {
      await handle.close().catch(() => undefined);
      if (isAbsent(error)) return undefined; // inside an archive, as Yarn keeps packages, only this finds it out
      throw error instanceof RidgepointError ? error : unreadable(path, error);
    }
  }

  async list(): Promise<string[]> {
    try {
      const entries = await readdir(this.name, { withFileTypes: true });
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    } catch (error) {
      throw unreadable(this.name, error);
    }
  }

  async within(folder: string): Promise<ModelFolder | undefined> {
    const path = this.#path(folder);
    const found = await stat(path).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw unreadable(path, error);
    });
    return found?.isDirectory() === true ? new NodeFolder(path) : undefined;
  }

  async readText(file: string): Promise<string | undefined> {
    const source = await this.open(file);
    if (source === undefined) return undefined;
    try {
      if (source.size > MAX_TEXT_BYTES) {
        const size = `${Math.round(source.size / (1 << 20))} MiB`;
        throw new RidgepointError(
          'checkpoint',
          `${this.#path(file)}: is too large for a text, ${size}; download it again`,
        );
      }
      const bytes = new Uint8Array(source.size);
      await source.read(0, bytes);
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      if (error instanceof RidgepointError) throw error;
      const message = `${this.#path(file)}: is not UTF-8 text; download it again`;
      throw new RidgepointError('checkpoint', message, { cause: error });
    } finally {
      await source.close();
    }
  }
}

/**
 * Opens a model's folder on disk.
 *
 * @param path absolute, or relative to the working directory
 * @throws RidgepointError('checkpoint') if there is no such folder, it is a file, or it cannot be read
 */
export async function openFolder(path: string): Promise<ModelFolder> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    if (!isAbsent(error)) throw unreadable(path, error);
    throw new RidgepointError('checkpoint', `${path}: no such folder; give a folder that holds a config.json`, {
      cause: error,
    });
  }
  if (!isFolder) {
    const what = whatFileIs(path) ?? `is a file; give the folder it is in, ${dirname(path)}`;
    throw new RidgepointError('checkpoint', `${path}: ${what}`);
  }
  return new NodeFolder(path);
}

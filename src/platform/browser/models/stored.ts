import type { FileSource } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';
import { BrowserFolder } from './folder.js';
import { BlobFile } from './picked.js';
import { openSync, type SyncFile } from './store.js';

/** A stored file, read without a detour by way of blobs. */
class SyncSource implements FileSource {
  readonly size: number;

  readonly #file: SyncFile;

  constructor(
    readonly name: string,
    file: SyncFile,
  ) {
    this.#file = file;
    this.size = file.getSize();
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    if (this.#file.read(into, { at: offset }) === into.length) return Promise.resolve();
    const wanted = `${into.length} bytes at ${offset}`;
    const message = `${this.name}: ends while ${wanted} were to be read; delete the stored model and load it again`;
    return Promise.reject(new RidgepointError('checkpoint', message));
  }

  close(): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}

/** A model in the origin's private file system. */
export class StoredFolder extends BrowserFolder {
  readonly #handle: FileSystemDirectoryHandle;

  constructor(name: string, handle: FileSystemDirectoryHandle) {
    super(name);
    this.#handle = handle;
  }

  protected async find(file: string): Promise<FileSource | undefined> {
    let handle: FileSystemFileHandle;
    try {
      handle = await this.#handle.getFileHandle(file);
    } catch (error) {
      if ((error as DOMException).name === 'NotFoundError') return undefined;
      throw error;
    }
    const sync = await openSync(this.#handle, file, 'read-only');
    return sync === undefined ? new BlobFile(file, await handle.getFile()) : new SyncSource(file, sync);
  }
}

/** Folders that a person picked or dropped. They are read where they lie; nothing is copied. */
import type { FileSource } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';
import { BrowserFolder } from './folder.js';

const PICK_AGAIN = 'pick the folder again';

/** A file of a person's, or one that was fetched whole. */
export class BlobFile implements FileSource {
  readonly size: number;

  readonly #blob: Blob;

  constructor(
    readonly name: string,
    blob: Blob,
  ) {
    this.#blob = blob;
    this.size = blob.size;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    let bytes: ArrayBuffer;
    try {
      bytes = await this.#blob.slice(offset, offset + into.length).arrayBuffer();
    } catch (cause) {
      // Browsers give a file as it was when it was picked, or not at all.
      throw new RidgepointError(
        'checkpoint',
        `${this.name}: was changed, moved or deleted since it was picked; ${PICK_AGAIN}`,
        {
          cause,
        },
      );
    }
    if (bytes.byteLength !== into.length) {
      const wanted = `${into.length} bytes at ${offset}`;
      throw new RidgepointError('checkpoint', `${this.name}: ends while ${wanted} were to be read; download it again`);
    }
    into.set(new Uint8Array(bytes));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A folder of `showDirectoryPicker`. */
export class PickedFolder extends BrowserFolder {
  readonly #handle: FileSystemDirectoryHandle;

  constructor(handle: FileSystemDirectoryHandle) {
    super(handle.name);
    this.#handle = handle;
  }

  protected async find(file: string): Promise<FileSource | undefined> {
    try {
      return new BlobFile(file, await (await this.#handle.getFileHandle(file)).getFile());
    } catch (error) {
      const { name } = error as DOMException;
      if (name === 'NotFoundError') {
        await this.#assertThere();
        return undefined;
      }
      throw this.#unreadable(error);
    }
  }

  async list(): Promise<string[]> {
    try {
      const names: string[] = [];
      for await (const entry of this.#handle.values()) {
        names.push(entry.kind === 'directory' ? `${entry.name}/` : entry.name);
      }
      return names.sort();
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** A folder that was moved has none of its files either. */
  async #assertThere(): Promise<void> {
    await this.list();
  }

  #unreadable(cause: unknown): RidgepointError {
    const { name, message } = cause as DOMException;
    const why =
      name === 'NotAllowedError'
        ? 'the permission to read it has lapsed'
        : name === 'NotFoundError'
          ? 'it was moved or deleted'
          : `it cannot be read (${message})`;
    return new RidgepointError('checkpoint', `${this.name}: ${why}; ${PICK_AGAIN}`, { cause });
  }
}

/** A file with its path from the chosen folder on, which would be lost on the way to another thread. */
export interface ChosenFile {
  readonly path: string;
  readonly file: File;
}

/** The files of a folder that was chosen by an input element with `webkitdirectory`, or dropped. */
export class FileListFolder extends BrowserFolder {
  /** By path inside the folder. */
  readonly #files = new Map<string, File>();

  constructor(files: readonly ChosenFile[]) {
    super(files[0]?.path.includes('/') ? files[0].path.split('/', 1)[0] : 'the chosen files');
    for (const { path, file } of files) this.#files.set(path.slice(path.indexOf('/') + 1), file);
  }

  protected find(file: string): Promise<FileSource | undefined> {
    const found = this.#files.get(file);
    return Promise.resolve(found && new BlobFile(file, found));
  }

  list(): Promise<string[]> {
    const names = [...this.#files.keys()].map((path) => {
      const slash = path.indexOf('/');
      return slash < 0 ? path : path.slice(0, slash + 1);
    });
    return Promise.resolve([...new Set(names)].sort());
  }
}

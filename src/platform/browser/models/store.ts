/** Models kept in the origin's private file system: a folder each, their files as they were downloaded. */

/** What is known of a stored file; with a hash when all of it is there. */
export interface FileState {
  readonly etag: string | null;
  readonly size: number | undefined;
  readonly sha256?: string;
}

/** A stored model's own file: written last, so that it tells of one that is complete. */
export interface Manifest {
  readonly source: string;
  /** Of the Hub. */
  readonly commit?: string;
  readonly files: readonly string[];
}

/** A model of the store, for lists. */
export interface StoredModel {
  /** A Hub name or the URL of a folder, as it was loaded. */
  readonly source: string;
  readonly bytes: number;
  /** Whether all of it is there. */
  readonly complete: boolean;
}

/** Synchronous access to a file, which dedicated workers have; not in the types of pages. */
export interface SyncFile {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

interface SyncHandle extends FileSystemFileHandle {
  createSyncAccessHandle?(options?: { mode: 'read-only' | 'readwrite' }): Promise<SyncFile>;
}

const ROOT = 'ridgepoint-models';
const MANIFEST = 'ridgepoint.json';

async function root(): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  } catch {
    return undefined; // a private window, or an insecure page
  }
}

const isAbsent = (error: unknown): boolean => (error as DOMException).name === 'NotFoundError';

/** Whether this thread can write to the store. */
export const canStore = (): boolean =>
  typeof FileSystemFileHandle !== 'undefined' && 'createSyncAccessHandle' in FileSystemFileHandle.prototype;

/** Opens a model's folder; undefined where the browser has no store. */
export async function storeFolder(source: string): Promise<FileSystemDirectoryHandle | undefined> {
  return (await root())?.getDirectoryHandle(encodeURIComponent(source), { create: true });
}

/** @returns undefined where another tab has the file open, or only blobs can be read here */
export async function openSync(
  folder: FileSystemDirectoryHandle,
  name: string,
  mode: 'read-only' | 'readwrite',
): Promise<SyncFile | undefined> {
  const handle: SyncHandle = await folder.getFileHandle(name, { create: mode === 'readwrite' });
  if (mode === 'readwrite') return handle.createSyncAccessHandle!();
  return handle.createSyncAccessHandle?.({ mode }).catch(() => undefined);
}

export async function writeText(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const file = (await openSync(folder, name, 'readwrite'))!;
  try {
    const bytes = new TextEncoder().encode(text);
    file.truncate(0);
    file.write(bytes, { at: 0 });
    file.flush();
  } finally {
    file.close();
  }
}

export async function readStoredText(folder: FileSystemDirectoryHandle, name: string): Promise<string | undefined> {
  try {
    return await (await (await folder.getFileHandle(name)).getFile()).text();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** A file of ours; undefined where there is none, or it was cut short as it was written. */
async function readRecord<T>(folder: FileSystemDirectoryHandle, name: string): Promise<T | undefined> {
  try {
    const text = await readStoredText(folder, name);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

const stateName = (file: string): string => `${file}.ridgepoint-state`;

export const readState = (folder: FileSystemDirectoryHandle, file: string): Promise<FileState | undefined> =>
  readRecord(folder, stateName(file));

export const writeState = (folder: FileSystemDirectoryHandle, file: string, state: FileState): Promise<void> =>
  writeText(folder, stateName(file), JSON.stringify(state));

export const readManifest = (folder: FileSystemDirectoryHandle): Promise<Manifest | undefined> =>
  readRecord(folder, MANIFEST);

export const writeManifest = (folder: FileSystemDirectoryHandle, manifest: Manifest): Promise<void> =>
  writeText(folder, MANIFEST, JSON.stringify(manifest));

/** The models that are kept, whole or in part. */
export async function listModels(): Promise<StoredModel[]> {
  const store = await root();
  if (store === undefined) return [];
  const models: StoredModel[] = [];
  for await (const entry of store.values()) {
    if (entry.kind !== 'directory') continue;
    let bytes = 0;
    for await (const file of entry.values()) if (file.kind === 'file') bytes += (await file.getFile()).size;
    const complete = (await readManifest(entry)) !== undefined;
    // Of one that was looked for in vain there is nothing to show or to free.
    if (bytes > 0) models.push({ source: decodeURIComponent(entry.name), bytes, complete });
  }
  return models;
}

/** Deletes a model from the store. @returns whether there was one */
export async function deleteModel(source: string): Promise<boolean> {
  try {
    await (await root())?.removeEntry(encodeURIComponent(source), { recursive: true });
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

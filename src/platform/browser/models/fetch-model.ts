import type { LoadProgress } from '../../../engine/api.js';
import type { ComingWeights } from '../../../engine/host.js';
import { RidgepointError } from '../../../errors.js';
import { downloadFile, type RemoteFile } from './download.js';
import { ask } from './fetching.js';
import { INDEX, TEXTS, weightFiles, type RemoteFolder } from './listing.js';
import { readManifest, readState, readStoredText, storeFolder, writeManifest, writeText } from './store.js';

export interface FetchOptions {
  /** Where it is, asked when something is to be fetched. */
  readonly remote: () => Promise<RemoteFolder>;
  readonly headers: Readonly<Record<string, string>>;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
  /** Called when everything but the weights is there; may throw, and then no weights are fetched. */
  readonly judge: (folder: FileSystemDirectoryHandle, coming: ComingWeights) => Promise<unknown>;
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/**
 * Brings a model into the store, or finds it there: a complete one asks the network for nothing. One download at a time
 * for all tabs.
 *
 * @param source its name in the store
 * @returns undefined where the browser has no store
 * @throws RidgepointError naming what is wrong; what has arrived by then is kept
 */
export async function fetchModel(
  source: string,
  options: FetchOptions,
): Promise<FileSystemDirectoryHandle | undefined> {
  const folder = await storeFolder(source);
  if (folder === undefined) return undefined;
  if ((await readManifest(folder)) !== undefined) return folder;
  const { signal, onProgress } = options;
  onProgress?.({ stage: 'waiting', item: 'another download', done: 0, total: 0, unit: 'bytes' });
  await navigator.locks.request('ridgepoint download', { signal }, async () => {
    // The tab before may have fetched this very model.
    if ((await readManifest(folder)) === undefined) await fetchInto(folder, source, options);
  });
  return folder;
}

async function fetchInto(folder: FileSystemDirectoryHandle, source: string, options: FetchOptions): Promise<void> {
  const remote = await options.remote();
  const texts = await fetchTexts(folder, remote, options);
  const listed = weightFiles(remote, await readStoredText(folder, INDEX));
  const weights = await Promise.all(listed.map((file) => withSize(file, options)));
  const sizes = weights.map(({ size }) => size);
  const bytes = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
  const left = await leftOf(folder, weights);
  await options.judge(folder, { bytes, left: bytes === undefined ? undefined : left });
  await assertRoom(left);
  let before = 0;
  for (const file of weights) {
    const { headers, signal, onProgress } = options;
    const known = weights.reduce((sum, { size }) => sum + (size ?? 0), 0);
    const state = await downloadFile(folder, file, {
      headers,
      signal,
      onBytes: (done, total) =>
        onProgress?.({
          stage: 'download',
          item: file.name,
          done: before + done,
          total: Math.max(known, before + (total ?? done)),
          unit: 'bytes',
        }),
    });
    if (state === undefined) {
      throw new RidgepointError(
        'checkpoint',
        `${remote.url}: has no ${file.name}; give the folder of a safetensors checkpoint`,
      );
    }
    before += state.size ?? 0;
  }
  const files = [...texts, ...weights.map(({ name }) => name)];
  await writeManifest(folder, { source, commit: remote.commit, files });
}

async function fetchTexts(
  folder: FileSystemDirectoryHandle,
  { url, files }: RemoteFolder,
  { headers, signal }: FetchOptions,
): Promise<string[]> {
  const wanted = TEXTS.filter((name) => files === undefined || files.has(name));
  const found = await Promise.all(
    wanted.map(async (name) => {
      const at = files?.get(name)?.url ?? new URL(name, url).href;
      const response = await ask(at, { headers, signal });
      if (response === undefined) return undefined;
      // A server that answers everything with its page has no such file; who needs it says so.
      if (response.headers.get('content-type')?.startsWith('text/html') && name !== 'config.json') return undefined;
      await writeText(folder, name, await response.text());
      return name;
    }),
  );
  return found.filter((name) => name !== undefined);
}

/** A file with the size that its server says, where no list did. */
async function withSize(file: RemoteFile, { headers, signal }: FetchOptions): Promise<RemoteFile> {
  if (file.size !== undefined) return file;
  const response = await ask(file.url, { method: 'HEAD', headers, signal }).catch(() => undefined);
  const coded = response?.headers.has('content-encoding') ?? true;
  const size = coded ? NaN : Number(response?.headers.get('content-length') ?? NaN);
  return Number.isFinite(size) ? { ...file, size } : file;
}

/** Bytes of files that are not there yet. */
async function leftOf(folder: FileSystemDirectoryHandle, weights: readonly RemoteFile[]): Promise<number> {
  let needed = 0;
  for (const { name, size = 0 } of weights) {
    const state = await readState(folder, name);
    const there = state === undefined ? 0 : (await (await folder.getFileHandle(name)).getFile()).size;
    needed += Math.max(0, size - there);
  }
  return needed;
}

/** @throws RidgepointError ('memory') before the first byte, where the browser will not give the space */
async function assertRoom(needed: number): Promise<void> {
  const { quota, usage } = await navigator.storage.estimate();
  if (quota === undefined || usage === undefined || needed <= quota - usage) return;
  throw new RidgepointError(
    'memory',
    `the model takes ${mib(needed)} more on disk, and the browser has ${mib(Math.max(0, quota - usage))} left for this site; delete stored models, or load with store: false`,
  );
}

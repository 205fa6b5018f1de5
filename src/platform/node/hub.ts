import { access, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { whatFolderIs } from '../../checkpoint/mistakes.js';
import { isPlainFileName } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';
import { MODULES_FILE, poolingFolders } from '../../model/pooling.js';
import { codeOf, disk, whyUnwritable } from './disk.js';
import { blobOf, isSound } from './hub-checked.js';
import { Downloader, type DownloadOptions, type DownloadProgress } from './hub-download.js';
import { COMMIT, hubFetcher, listFolder, listModel, type HubFile } from './hub-listing.js';
import { isOffline, parsePlace, readToken, type Place } from './hub-place.js';
import { withLock } from './lock.js';
import { putWhole } from './whole-file.js';

export type { DownloadProgress };

export interface FetchOptions extends DownloadOptions {
  /** A branch, tag or commit; `main` by default. */
  readonly revision?: string;
  /** Called with the snapshot's folder when all but the weights is in it; may throw, and then no weights are fetched. */
  readonly judge?: (folder: string) => Promise<void>;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Reading as much takes long enough to be told of. */
const SLOW_BYTES = 256 << 20;

const SMALL_FILES =
  /^(config|generation_config|tokenizer.*|special_tokens_map|added_tokens|chat_template|quantize_config|quant_config|hf_quant_config|modules|config_sentence_transformers)\.json$|^chat_template\.jinja$/;
/** Shards of a model that has no index. */
const UNLISTED = /^model.*-\d{5}-of-\d{5}\.safetensors$/;

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The shards that an index lists, checked, since their names become paths. */
function shardsOf(index: string, name: string): string[] {
  let shards: unknown[] = [];
  try {
    shards = Object.values((JSON.parse(index) as { weight_map: Record<string, unknown> }).weight_map);
  } catch {
    // an empty list is refused below
  }
  if (shards.length === 0 || !shards.every((shard) => typeof shard === 'string' && isPlainFileName(shard))) {
    throw new RidgepointError(
      'checkpoint',
      `${name}: ${INDEX} lists no usable files; choose another model or revision`,
    );
  }
  return [...new Set(shards as string[])].sort();
}

/** The files of weights that a snapshot of the cache should have; undefined where that cannot be told. */
async function expectedWeights(snapshot: string, name: string): Promise<string[] | undefined> {
  if (await exists(join(snapshot, SINGLE))) return [SINGLE];
  if (await exists(join(snapshot, INDEX))) return shardsOf(await readFile(join(snapshot, INDEX), 'utf8'), name);
  const unlisted = (await readdir(snapshot)).filter((file) => UNLISTED.test(file));
  return unlisted.length > 0 ? unlisted : undefined;
}

/** Files that say how a snapshot makes embeddings, by its `modules.json`. */
async function poolingFiles(snapshot: string): Promise<string[]> {
  const text = await readFile(join(snapshot, MODULES_FILE), 'utf8').catch(() => '[]');
  return poolingFolders(text).map((folder) => `${folder}/config.json`);
}

/**
 * What a snapshot of the cache lacks: nothing, only small files that some models do not have (a tokenizer, and how to
 * pool), or what the engine needs.
 *
 * @param judge called before gigabytes are read to check them
 */
async function missingFrom(
  snapshot: string,
  name: string,
  has: (path: string) => Promise<boolean>,
  judge: FetchOptions['judge'],
): Promise<Missing> {
  const there = (file: string) => has(join(snapshot, file));
  if (!(await there('config.json'))) return 'weights';
  if (await exists(join(snapshot, INDEX))) await there(INDEX);
  const weights = await expectedWeights(snapshot, name);
  if (weights === undefined) return 'weights';
  for (const file of weights) if (!(await exists(join(snapshot, file)))) return 'weights';
  const hasTokenizer = await there('tokenizer.json');
  if (hasTokenizer) await judge?.(snapshot);
  for (const file of weights) if (!(await there(file))) return 'weights';
  for (const file of await poolingFiles(snapshot)) if (!(await there(file))) return 'small files';
  return hasTokenizer ? 'nothing' : 'small files';
}

type Missing = 'nothing' | 'small files' | 'weights';

interface Cached {
  readonly folder?: string;
  readonly missing: Missing;
}

/** What the cache has of a model. A file whose content is not what its name says counts as absent, and goes. */
async function lookUp(place: Place, { onProgress, signal, judge }: FetchOptions): Promise<Cached> {
  const folder = await cachedSnapshot(place);
  if (folder === undefined) return { missing: 'weights' };
  const has = async (path: string): Promise<boolean> => {
    if (!(await exists(path))) return false;
    const blob = await blobOf(path);
    if (blob === undefined) return true; // a system without links: the file has no hash to be held against
    const { size } = await stat(blob.path);
    let done = 0;
    const heard = (bytes: number): void => {
      done += bytes;
      if (size > SLOW_BYTES) onProgress?.({ stage: 'checking', item: path, done, total: size, unit: 'bytes' });
    };
    if (await isSound(blob, { heard, signal })) return true;
    if (isOffline()) {
      const message = `${blob.path}: is damaged, and HF_HUB_OFFLINE forbids to fetch it anew; unset it`;
      throw new RidgepointError('checkpoint', message);
    }
    await disk.rm(blob.path, { force: true });
    return false;
  };
  return { folder, missing: await missingFrom(folder, place.name, has, judge) };
}

async function cachedSnapshot({ folder, revision }: Place): Promise<string | undefined> {
  const ref = COMMIT.test(revision) ? revision : await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '');
  return COMMIT.test(ref.trim()) ? join(folder, 'snapshots', ref.trim()) : undefined;
}

/**
 * Finds a model of the Hugging Face Hub in the local cache, or downloads it there: configuration, tokenizer, how
 * to pool and safetensors only. A download that was interrupted goes on where it ended; every file is checked against its hash. A
 * model that is there completely costs no request. `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN` and
 * `HF_HUB_OFFLINE` mean what they mean to the Hub's other clients, and the cache is shared with them.
 *
 * @param name such as `meta-llama/Llama-2-7b-hf`
 * @returns the folder of the snapshot
 * @throws RidgepointError('usage') for what cannot be a name, ('network') if the Hub cannot be reached or refuses,
 *   ('checkpoint') if the model has no safetensors or the cache cannot be written; the signal's reason if aborted
 */
export async function fetchModel(name: string, options: FetchOptions = {}): Promise<string> {
  const place = parsePlace(name, options.revision);
  const cached = await lookUp(place, options);
  if (cached.folder !== undefined && cached.missing === 'nothing') return cached.folder;
  if (isOffline()) {
    if (cached.folder !== undefined && cached.missing === 'small files') return cached.folder;
    const message = `${name}: is not completely in ${place.folder}, and HF_HUB_OFFLINE forbids to download it; unset it`;
    throw new RidgepointError('network', message);
  }
  const onWait = (holder: string): void =>
    options.onProgress?.({ stage: 'waiting', item: holder, done: 0, total: 1, unit: 'bytes' });
  const download = async (): Promise<string> => {
    // Whoever held the lock may have fetched it.
    const now = await lookUp(place, options);
    return now.folder !== undefined && now.missing === 'nothing' ? now.folder : downloadModel(place, options);
  };
  try {
    return await withLock(place.lock, download, { onWait, signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    // A model that has none of these is asked for again each time; not being able to ask must not stop it.
    if (cached.folder !== undefined && cached.missing === 'small files') return cached.folder;
    const code = codeOf(error);
    if (error instanceof RidgepointError || code === undefined) throw error;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const why = whyUnwritable(error).split(';')[0];
    const advice = isFull
      ? 'free some space and run again, the download resumes'
      : 'set HF_HOME to a folder that can be written';
    throw new RidgepointError('checkpoint', `${place.folder}: cannot be filled: ${why}; ${advice}`, { cause: error });
  }
}

async function downloadModel(place: Place, options: FetchOptions): Promise<string> {
  const { name, folder, revision } = place;
  const token = await readToken();
  const hasToken = token !== undefined;
  const hubFetch = hubFetcher(place, token, options.signal);
  const { commit, files } = await listModel(place, hubFetch, { ...options, hasToken });
  const downloader = new Downloader(place, commit, hubFetch, hasToken, options);

  const config = files.get('config.json');
  const single = files.get(SINGLE);
  const index = files.get(INDEX);
  const unlisted = [...files.values()].filter((file) => UNLISTED.test(file.path));
  if (config === undefined || (single === undefined && index === undefined && unlisted.length === 0)) {
    const lacks = config === undefined ? 'config.json' : `${SINGLE} or ${INDEX}`;
    const what = await whatFolderIs({ list: () => Promise.resolve([...files.keys()]) });
    const message = `${name}: has no ${lacks} on the Hub; ${what ?? 'choose a model with safetensors weights'}`;
    throw new RidgepointError('checkpoint', message);
  }
  const bytesOf = (list: readonly { readonly size: number }[]): number => list.reduce((sum, { size }) => sum + size, 0);
  const small = [...files.values()].filter((file) => SMALL_FILES.test(file.path));
  const listing = single === undefined && index !== undefined ? [index] : [];
  downloader.totalBytes = bytesOf(small) + bytesOf(listing);
  for (const file of small) await downloader.fetch(file);
  const snapshot = join(folder, 'snapshots', commit);
  for (const path of files.has(MODULES_FILE) ? await poolingFiles(snapshot) : []) {
    const inside = await listFolder(place, commit, dirname(path), hubFetch, { ...options, hasToken });
    const file: HubFile | undefined = inside.get(path);
    if (file === undefined) continue;
    downloader.totalBytes += file.size;
    await downloader.fetch(file);
  }
  await options.judge?.(snapshot);
  // Weights come last, so that a snapshot with all its weights is a complete one.
  let weights = single === undefined ? unlisted : [single];
  for (const file of listing) {
    const text = await readFile(await downloader.fetch(file), 'utf8');
    weights = shardsOf(text, name).map((shard) => {
      const found = files.get(shard);
      if (found !== undefined) return found;
      throw new RidgepointError('checkpoint', `${name}: ${INDEX} lists ${shard}, which the Hub does not have`);
    });
  }
  downloader.totalBytes += bytesOf(weights);
  for (const file of weights) await downloader.fetch(file);

  if (revision !== commit) {
    await putWhole(join(folder, 'refs', revision), commit);
  }
  return snapshot;
}

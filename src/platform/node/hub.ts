import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, link, mkdir, open, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { isPlainFileName, printable } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';

/** How far the download has come, over all files; fits the engine's `LoadProgress`. */
export interface DownloadProgress {
  readonly stage: 'download';
  /** The file being fetched. */
  readonly item: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes';
}

export interface FetchOptions {
  /** A branch, tag or commit; `main` by default. */
  readonly revision?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/** A file as the Hub lists it. */
interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Names the blob in the cache: the SHA-256 of a large file, the git object id of a small one. */
  readonly etag: string;
}

/** Where everything about one model is in the cache shared with the Hub's other clients. */
interface Place {
  readonly name: string;
  readonly revision: string;
  readonly endpoint: string;
  readonly folder: string;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SMALL_FILES = /^(config|generation_config|tokenizer.*|special_tokens_map)\.json$|^chat_template\.jinja$/;
const COMMIT = /^[0-9a-f]{40}$/;
const REPORT_EVERY_BYTES = 1 << 20;
/** Attempts in a row that bring no byte before a download is given up. */
const MAX_ATTEMPTS = 4;
const RETRY_MS = 250;

function env(...names: string[]): string | undefined {
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');
}

function homeFolder(): string {
  return env('HF_HOME') ?? join(env('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
}

async function readToken(): Promise<string | undefined> {
  const token = env('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN');
  if (token !== undefined) return token.trim();
  const text = await readFile(env('HF_TOKEN_PATH') ?? join(homeFolder(), 'token'), 'utf8').catch(() => '');
  return text.trim() || undefined;
}

function isOffline(): boolean {
  return /^(1|true|yes|on)$/i.test(env('HF_HUB_OFFLINE') ?? '');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (info) => info.size,
    () => undefined,
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

/** What a snapshot of the cache lacks: nothing, only a tokenizer (some models have none), or what the engine needs. */
async function missingFrom(snapshot: string, name: string): Promise<'nothing' | 'tokenizer' | 'weights'> {
  const has = (file: string) => exists(join(snapshot, file));
  if (!(await has('config.json'))) return 'weights';
  if (!(await has(SINGLE))) {
    const index = await readFile(join(snapshot, INDEX), 'utf8').catch(() => undefined);
    if (index === undefined) return 'weights';
    for (const shard of shardsOf(index, name)) if (!(await has(shard))) return 'weights';
  }
  return (await has('tokenizer.json')) ? 'nothing' : 'tokenizer';
}

async function cachedSnapshot({ folder, revision }: Place): Promise<string | undefined> {
  const ref = COMMIT.test(revision) ? revision : await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '');
  return COMMIT.test(ref.trim()) ? join(folder, 'snapshots', ref.trim()) : undefined;
}

/** A refusal by the Hub as a sentence with a way out. */
function refused(
  { name, revision, endpoint }: Place,
  status: number,
  hasToken: boolean,
  cause?: unknown,
): RidgepointError {
  const page = `${endpoint}/${name}`;
  let message: string;
  if (status === 401 && !hasToken) {
    message = `${name}: there is no public model of that name; check the name, or set HF_TOKEN if it is private or gated`;
  } else if (status === 401) {
    message = `${name}: the Hub does not accept the access token; check HF_TOKEN, and the model's name`;
  } else if (status === 403) {
    message = `${name}: access is restricted; accept its terms at ${page} and set HF_TOKEN to a token of that account`;
  } else if (status === 404) {
    message = `${name}: the Hub has no such model, or no revision ${printable(revision)} of it; check the name at ${page}`;
  } else if (status === 429) {
    message = `${name}: the Hub asks to slow down; wait some minutes and run again, the download resumes`;
  } else {
    message = `${name}: the Hub answered with status ${status}; run again later, the download resumes`;
  }
  return new RidgepointError('network', message, { cause });
}

function unreachable({ name, endpoint }: Place, error: unknown): RidgepointError {
  const { message, cause } = error as Error;
  const detail = cause instanceof Error && cause.message !== '' ? cause.message : message;
  const advice = 'check the network and run again, or give a local folder';
  return new RidgepointError('network', `${name}: cannot reach ${endpoint} (${detail}); ${advice}`, { cause: error });
}

/** Asks the Hub for a revision's commit and its files. */
async function listModel(place: Place, hubFetch: typeof fetch, hasToken: boolean) {
  // Loaded here, because a model that is on disk needs none of it.
  const { HubApiError, listFiles, modelInfo } = await import('@huggingface/hub');
  const { name, revision, endpoint: hubUrl } = place;
  try {
    const { sha } = await modelInfo({ name, revision, hubUrl, fetch: hubFetch, additionalFields: ['sha'] });
    if (!COMMIT.test(sha)) throw new Error(`${printable(String(sha))} is no commit`);
    const files = new Map<string, HubFile>();
    for await (const file of listFiles({ repo: { type: 'model', name }, revision: sha, hubUrl, fetch: hubFetch })) {
      const etag = file.lfs?.oid ?? file.oid ?? '';
      if (file.type !== 'file' || !isPlainFileName(file.path) || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) continue;
      files.set(file.path, { path: file.path, size: file.size, etag });
    }
    return { commit: sha, files };
  } catch (error) {
    if (error instanceof HubApiError) throw refused(place, error.statusCode, hasToken, error);
    throw unreachable(place, error);
  }
}

/** The hash that a file's etag is: SHA-256 of the content, or git's SHA-1 of a header and the content. */
function startHash({ etag, size }: HubFile): Hash {
  return etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

class Downloader {
  private doneBytes = 0;
  private reported = 0;
  totalBytes = 0;

  constructor(
    private readonly place: Place,
    private readonly commit: string,
    private readonly hubFetch: typeof fetch,
    private readonly hasToken: boolean,
    private readonly options: FetchOptions,
  ) {}

  private advance(bytes: number, item: string, always = false): void {
    this.doneBytes += bytes;
    if (!always && Math.abs(this.doneBytes - this.reported) < REPORT_EVERY_BYTES) return;
    this.reported = this.doneBytes;
    this.options.onProgress?.({ stage: 'download', item, done: this.doneBytes, total: this.totalBytes, unit: 'bytes' });
  }

  /** Brings a file into the snapshot, from the cache's blobs if it is there, and returns its path. */
  async fetch(file: HubFile): Promise<string> {
    const blob = join(this.place.folder, 'blobs', file.etag);
    const pointer = join(this.place.folder, 'snapshots', this.commit, file.path);
    if ((await sizeOf(pointer)) === file.size) {
      this.advance(file.size, file.path, true);
      return pointer;
    }
    if ((await sizeOf(blob)) === file.size) {
      this.advance(file.size, file.path, true);
    } else {
      await this.download(file, `${blob}.incomplete`);
      await rename(`${blob}.incomplete`, blob);
    }
    await mkdir(dirname(pointer), { recursive: true });
    await rm(pointer, { force: true }); // a link whose blob was gone, or a damaged file
    // Without the right to make links, as on many a Windows, the file itself goes into the snapshot.
    await symlink(relative(dirname(pointer), blob), pointer)
      .catch(() => link(blob, pointer))
      .catch(() => rename(blob, pointer));
    return pointer;
  }

  /** Fills `path` with the file, going on where an earlier attempt or run ended, and checks the result. */
  private async download(file: HubFile, path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    let have = (await sizeOf(path)) ?? 0;
    if (have > file.size) have = 0;
    let furthest = have;
    let hash = startHash(file);
    if (have > 0) for await (const chunk of createReadStream(path, { end: have - 1 })) hash.update(chunk as Buffer);
    this.advance(have, file.path, true);

    const handle = await open(path, have > 0 ? 'r+' : 'w');
    try {
      for (let attempt = 1; have < file.size; attempt++) {
        try {
          const response = await this.request(file, have);
          if (response.status !== 206 && have > 0) {
            // The server sends the whole file, whatever was asked for.
            this.advance(-have, file.path);
            hash = startHash(file);
            have = 0;
          }
          for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
            const part = chunk.subarray(0, file.size - have); // should there be more, the hash will tell
            await handle.write(part, 0, part.length, have);
            hash.update(part);
            have += part.length;
            this.advance(part.length, file.path);
            if (have > furthest) {
              furthest = have;
              attempt = 0;
            }
            if (have === file.size) break;
          }
          if (have < file.size) throw new Error(`the connection ended at byte ${have} of ${file.size}`);
        } catch (error) {
          this.options.signal?.throwIfAborted();
          const isFinal = error instanceof RidgepointError || (error as NodeJS.ErrnoException).syscall === 'write';
          if (isFinal) throw error;
          if (attempt >= MAX_ATTEMPTS) throw unreachable(this.place, error);
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** attempt));
        }
      }
      await handle.truncate(file.size);
    } finally {
      await handle.close();
    }
    this.advance(0, file.path, true);
    if (hash.digest('hex') !== file.etag) {
      await rm(path, { force: true });
      const message = `${this.place.name}: ${file.path} arrived damaged and was deleted; run again to fetch it anew`;
      throw new RidgepointError('network', message);
    }
  }

  private async request(file: HubFile, from: number): Promise<Response> {
    const { endpoint, name } = this.place;
    const url = `${endpoint}/${name}/resolve/${this.commit}/${encodeURIComponent(file.path)}`;
    const headers = new Headers({ 'Accept-Encoding': 'identity' }); // ranges count the bytes of the file itself
    if (from > 0) headers.set('Range', `bytes=${from}-`);
    const response = await this.hubFetch(url, { headers });
    if (response.status === 206 && !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
      await response.body?.cancel();
      throw new Error(`asked for bytes from ${from}, got ${response.headers.get('content-range')}`);
    }
    if (response.ok && response.body !== null) return response;
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`status ${response.status}`);
    throw refused(this.place, response.status, this.hasToken);
  }
}

function parsePlace(name: string, revision = 'main'): Place {
  const isName = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/.test(name) && !name.includes('..');
  if (!isName) {
    const message = `${printable(name)}: is neither a folder nor a Hub name; give one like meta-llama/Llama-2-7b-hf`;
    throw new RidgepointError('usage', message);
  }
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes('..')) {
    throw new RidgepointError('usage', `${printable(revision)}: is not a revision; give a branch, a tag or a commit`);
  }
  const cache = env('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(homeFolder(), 'hub');
  const endpoint = (env('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, '');
  return { name, revision, endpoint, folder: join(cache, `models--${name.replace('/', '--')}`) };
}

/**
 * Finds a model of the Hugging Face Hub in the local cache, or downloads it there: configuration, tokenizer and
 * safetensors only. A download that was interrupted goes on where it ended; every file is checked against its hash. A
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
  const cached = await cachedSnapshot(place);
  const missing = cached === undefined ? 'weights' : await missingFrom(cached, name);
  if (cached !== undefined && missing === 'nothing') return cached;
  if (isOffline()) {
    if (cached !== undefined && missing === 'tokenizer') return cached;
    const message = `${name}: is not completely in ${place.folder}, and HF_HUB_OFFLINE forbids to download it; unset it`;
    throw new RidgepointError('network', message);
  }
  try {
    return await downloadModel(place, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    // A model that has no tokenizer is asked for again each time; not being able to ask must not stop it.
    if (cached !== undefined && missing === 'tokenizer') return cached;
    if (error instanceof RidgepointError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'the disk is full; free some space and run again, the download resumes' : message;
    const advice = code === 'ENOSPC' ? '' : '; set HF_HOME to a folder that can be written';
    throw new RidgepointError('checkpoint', `${place.folder}: cannot be filled: ${why}${advice}`, { cause: error });
  }
}

async function downloadModel(place: Place, options: FetchOptions): Promise<string> {
  const { name, folder, revision, endpoint } = place;
  const token = await readToken();
  const hubFetch: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    const url = new URL(input instanceof Request ? input.url : input);
    // A listing names its own next page: the token must not follow it to another host.
    if (token !== undefined && url.origin === new URL(endpoint).origin) headers.set('Authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers, signal: options.signal });
  };
  const { commit, files } = await listModel(place, hubFetch, token !== undefined);
  const downloader = new Downloader(place, commit, hubFetch, token !== undefined, options);

  const config = files.get('config.json');
  const single = files.get(SINGLE);
  const index = files.get(INDEX);
  const first = single ?? index;
  if (config === undefined || first === undefined) {
    const lacks = config === undefined ? 'config.json' : `${SINGLE} or ${INDEX}`;
    throw new RidgepointError(
      'checkpoint',
      `${name}: has no ${lacks} on the Hub; choose a model with safetensors weights`,
    );
  }
  // Weights come last, so that a snapshot with all its weights is a complete one.
  const wanted = [...files.values()].filter((file) => SMALL_FILES.test(file.path));
  downloader.totalBytes = single === undefined ? first.size : 0;
  if (single === undefined) {
    const text = await readFile(await downloader.fetch(first), 'utf8');
    for (const shard of shardsOf(text, name)) {
      const file = files.get(shard);
      if (file === undefined) {
        throw new RidgepointError('checkpoint', `${name}: ${INDEX} lists ${shard}, which the Hub does not have`);
      }
      wanted.push(file);
    }
  } else {
    wanted.push(single);
  }
  downloader.totalBytes += wanted.reduce((sum, file) => sum + file.size, 0);
  for (const file of wanted) await downloader.fetch(file);

  if (revision !== commit) {
    const ref = join(folder, 'refs', revision);
    await mkdir(dirname(ref), { recursive: true });
    await writeFile(ref, commit);
  }
  return join(folder, 'snapshots', commit);
}

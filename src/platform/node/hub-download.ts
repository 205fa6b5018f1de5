import { link, realpath, rename, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { RidgepointError } from '../../errors.js';
import { disk } from './disk.js';
import { hasContent, isSound, recordChecked } from './hub-checked.js';
import { notSilent, refused, unreachable, type HubFile } from './hub-listing.js';
import type { Place } from './hub-place.js';
import { WholeFile } from './whole-file.js';

/** How far the download has come, over all files; fits the engine's `LoadProgress`. */
export interface DownloadProgress {
  readonly stage: 'waiting' | 'checking' | 'download';
  /** The file being fetched or checked, or who is waited for. */
  readonly item: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes';
}

const REPORT_EVERY_BYTES = 1 << 20;
/** Attempts in a row that bring no byte before a download is given up. */
const MAX_ATTEMPTS = 4;
const RETRY_MS = 250;
/** How long a connection may bring nothing, in milliseconds: four attempts are over in a minute. */
const SILENCE_MS = 12_000;

export interface DownloadOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** How long a connection may bring nothing, in milliseconds. */
  readonly patience?: number;
}

/** A failure of the disk that is written to, which no other attempt at the network mends. */
class DiskFailure extends Error {}

/** Fetches files of one model into the cache's blobs, and makes them files of a snapshot. */
export class Downloader {
  #done = 0;
  #reported = 0;
  totalBytes = 0;

  readonly #place: Place;
  readonly #commit: string;
  readonly #hubFetch: typeof fetch;
  readonly #hasToken: boolean;
  readonly #options: DownloadOptions;

  constructor(place: Place, commit: string, hubFetch: typeof fetch, hasToken: boolean, options: DownloadOptions) {
    this.#place = place;
    this.#commit = commit;
    this.#hubFetch = hubFetch;
    this.#hasToken = hasToken;
    this.#options = options;
  }

  #advance(bytes: number, item: string, always = false): void {
    this.#done += bytes;
    if (!always && Math.abs(this.#done - this.#reported) < REPORT_EVERY_BYTES) return;
    this.#reported = this.#done;
    this.#options.onProgress?.({ stage: 'download', item, done: this.#done, total: this.totalBytes, unit: 'bytes' });
  }

  /** Brings a file into the snapshot, from the cache's blobs if it is there and sound, and returns its path. */
  async fetch(file: HubFile): Promise<string> {
    const blob = join(this.#place.folder, 'blobs', file.etag);
    const pointer = join(this.#place.folder, 'snapshots', this.#commit, file.path);
    if (await this.#isThere(pointer, file)) {
      this.#advance(file.size, file.path, true);
      return pointer;
    }
    if (await this.#isThere(blob, file)) this.#advance(file.size, file.path, true);
    else await this.#download(file, blob);
    await disk.mkdir(dirname(pointer), { recursive: true });
    await disk.rm(pointer, { force: true }); // a link whose blob was gone, or a damaged file
    // Without the right to make links, as on many a Windows, the file itself goes into the snapshot.
    await symlink(relative(dirname(pointer), blob), pointer)
      .catch(() => link(blob, pointer))
      .catch(() => rename(blob, pointer));
    return pointer;
  }

  async #isThere(path: string, { size, etag }: HubFile): Promise<boolean> {
    const info = await stat(path).catch(() => undefined);
    if (info?.size !== size) return false;
    return isSound({ path: await realpath(path), etag }, { signal: this.#options.signal });
  }

  /** Fetches a blob, going on where an earlier attempt or run ended; it has its name once its hash is right. */
  async #download(file: HubFile, blob: string): Promise<void> {
    await disk.mkdir(dirname(blob), { recursive: true });
    const output = await WholeFile.open(blob, { partial: `${blob}.incomplete`, resume: true });
    try {
      if (output.had > file.size) await output.truncate(0);
      await this.#fill(output, file);
      await output.close();
    } catch (error) {
      await output.leave().catch(() => undefined);
      throw error;
    }
    this.#advance(0, file.path, true);
    const { onProgress, signal } = this.#options;
    let read = 0;
    const heard = (bytes: number): void => {
      read += bytes;
      const isSlow = file.size > 256 << 20;
      if (isSlow) onProgress?.({ stage: 'checking', item: file.path, done: read, total: file.size, unit: 'bytes' });
    };
    if (!(await hasContent(output.partial, file.etag, { heard, signal }))) {
      await disk.rm(output.partial, { force: true });
      const message = `${this.#place.name}: ${file.path} arrived damaged and was deleted; run again to fetch it anew`;
      throw new RidgepointError('network', message);
    }
    await output.name();
    await recordChecked(await realpath(blob));
  }

  /** Writes what is missing of a file, in as many requests as it takes. */
  async #fill(output: WholeFile, file: HubFile): Promise<void> {
    let have = output.had > file.size ? 0 : output.had;
    let furthest = have;
    this.#advance(have, file.path, true);
    for (let attempt = 1; have < file.size; attempt++) {
      try {
        await notSilent(this.#options.patience ?? SILENCE_MS, this.#options.signal, async (signal, heard) => {
          const response = await this.#request(file, have, signal);
          heard();
          if (response.status !== 206 && have > 0) {
            // The server sends the whole file, whatever was asked for.
            this.#advance(-have, file.path);
            have = 0;
          }
          for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
            heard();
            const part = chunk.subarray(0, file.size - have); // should there be more, the hash will tell
            await output.write(part, have).catch((cause: unknown) => {
              throw new DiskFailure('', { cause });
            });
            have += part.length;
            this.#advance(part.length, file.path);
            if (have > furthest) {
              furthest = have;
              attempt = 0;
            }
            if (have === file.size) break;
          }
        });
        if (have < file.size) throw new Error(`the connection ended at byte ${have} of ${file.size}`);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (error instanceof DiskFailure) throw error.cause;
        if (error instanceof RidgepointError) throw error;
        if (attempt >= MAX_ATTEMPTS) throw unreachable(this.#place, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** attempt));
      }
    }
  }

  async #request(file: HubFile, from: number, signal: AbortSignal): Promise<Response> {
    const { endpoint, name } = this.#place;
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const url = `${endpoint}/${name}/resolve/${this.#commit}/${path}`;
    const headers = new Headers({ 'Accept-Encoding': 'identity' }); // ranges count the bytes of the file itself
    if (from > 0) headers.set('Range', `bytes=${from}-`);
    const response = await this.#hubFetch(url, { headers, signal });
    if (response.status === 206 && !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
      await response.body?.cancel();
      throw new Error(`asked for bytes from ${from}, got ${response.headers.get('content-range')}`);
    }
    if (response.ok && response.body !== null) return response;
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`status ${response.status}`);
    throw refused(this.#place, response.status, this.#hasToken);
  }
}

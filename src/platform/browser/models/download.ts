import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';
import { RidgepointError } from '../../../errors.js';
import { ask, cutOff, isRefusal } from './fetching.js';
import { openSync, readState, writeState, type FileState, type SyncFile } from './store.js';

/** A file to be had from a server. */
export interface RemoteFile {
  readonly name: string;
  readonly url: string;
  /** In bytes, where the server lists its files. */
  readonly size?: number;
  /** In hexadecimal digits, where the server says. */
  readonly sha256?: string;
}

export interface DownloadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told how much of the file is there. */
  readonly onBytes: (done: number, total: number | undefined) => void;
}

/** Waits after failures that follow each other without a byte between them, in milliseconds. */
const WAITS = [250, 1000, 2000, 4000, 8000];
/** How often what comes may turn out to belong to another file than what is there. */
const CHANGES = 3;
/** The status of a part that begins behind the end of its file. */
const PAST_THE_END = 416;
/** Bytes that are read at a time to be hashed. */
const PIECE = 4 << 20;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Why a transfer did not go on, where trying again may help. */
class Cut extends Error {}

/** The length that an answer says it has; of one that was packed for the way, it is that of the package. */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? undefined : Number(length);
}

/** Where in which file a part of it belongs, as far as the server tells. */
function placeOf({ headers }: Response): { from?: number; total?: number } {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  return from === undefined ? {} : { from: Number(from), total: Number(total) };
}

/**
 * Downloads a file into the store. What a cut, a reload or a closed tab left is gone on with, if the file is still the
 * same; its hash is that of all of it.
 *
 * @returns undefined where the server has no such file
 * @throws RidgepointError naming the host or the file
 */
export async function downloadFile(
  folder: FileSystemDirectoryHandle,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<FileState | undefined> {
  const before = await readState(folder, file.name);
  const right = file.sha256 === undefined || file.sha256 === before?.sha256;
  if (before?.sha256 !== undefined && right) return before;
  const handle = (await openSync(folder, file.name, 'readwrite'))!;
  try {
    return await new Transfer(folder, file, handle, options).run(before);
  } finally {
    handle.close();
  }
}

class Transfer {
  #hash = sha256.create();
  #at = 0;
  #etag: string | null = null;
  #total: number | undefined;
  #changes = 0;
  /** Bytes that have come in all. */
  #came = 0;

  readonly #folder: FileSystemDirectoryHandle;
  readonly #file: RemoteFile;
  readonly #handle: SyncFile;
  readonly #options: DownloadOptions;

  constructor(folder: FileSystemDirectoryHandle, file: RemoteFile, handle: SyncFile, options: DownloadOptions) {
    this.#folder = folder;
    this.#file = file;
    this.#handle = handle;
    this.#options = options;
  }

  async run(before: FileState | undefined): Promise<FileState | undefined> {
    // A part of which nothing is known, or that is all there and has the wrong hash, is of no use.
    if (before !== undefined && before.etag !== null && before.sha256 === undefined) this.#takeUp(before);
    else this.#anew();
    if (!(await this.#fetchAll())) return undefined;
    let found = bytesToHex(this.#hash.digest());
    if (!this.#isRight(found)) {
      // Perhaps the part that was there; the whole, fetched in one go, decides.
      this.#anew();
      await this.#fetchAll();
      found = bytesToHex(this.#hash.digest());
      if (!this.#isRight(found)) {
        const { url, size = this.#at } = this.#file;
        const sizes = size === this.#at ? '' : ` (${this.#at} bytes instead of ${size})`;
        this.#anew();
        const what = `what arrives is not the file that is listed${sizes}`;
        throw new RidgepointError('network', `${url}: ${what}; try again later`);
      }
    }
    this.#handle.flush();
    const state: FileState = { etag: this.#etag, size: this.#at, sha256: found };
    await writeState(this.#folder, this.#file.name, state);
    return state;
  }

  #isRight(found: string): boolean {
    const { sha256: wanted, size } = this.#file;
    return (wanted === undefined || wanted === found) && (size === undefined || size === this.#at);
  }

  #takeUp({ etag, size }: FileState): void {
    const there = this.#handle.getSize();
    this.#etag = etag;
    this.#total = size;
    const piece = new Uint8Array(PIECE);
    while (this.#at < there) {
      const read = this.#handle.read(piece, { at: this.#at });
      this.#hash.update(piece.subarray(0, read));
      this.#at += read;
    }
  }

  #anew(): void {
    this.#hash = sha256.create();
    this.#at = 0;
    this.#etag = null;
    this.#total = undefined;
    this.#handle.truncate(0);
  }

  /** @returns false where there is no such file */
  async #fetchAll(): Promise<boolean> {
    for (let failures = 0; this.#total === undefined || this.#at < this.#total;) {
      const before = this.#came;
      try {
        if (!(await this.#fetchOn())) return false;
        if (this.#total === undefined) return true;
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (!mayPass(error)) throw error;
        failures = this.#came > before ? 0 : failures + 1;
        if (failures >= WAITS.length) throw error instanceof Cut ? cutOff(this.#file.url, error) : error;
        await pause(WAITS[failures]);
      }
    }
    return true;
  }

  /** Fetches what is missing, as far as the connection lasts. */
  async #fetchOn(): Promise<boolean> {
    const { url } = this.#file;
    const { headers, signal } = this.#options;
    const range: Record<string, string> = this.#at > 0 ? { range: `bytes=${this.#at}-` } : {};
    const init: RequestInit = { headers: { ...headers, ...range }, signal, cache: 'no-store' };
    const response = await ask(url, init, this.#at > 0 ? [PAST_THE_END] : []);
    if (response === undefined) return false;
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      await response.body?.cancel();
      throw new RidgepointError('checkpoint', `${url}: the server gives a web page instead of this file`);
    }
    const etag = response.headers.get('etag');
    const length = lengthOf(response);
    if (this.#at > 0 && !this.#goesOn(response, etag, length)) {
      // Never spliced: the file is another, or comes from its beginning.
      this.#anew();
      if (++this.#changes > CHANGES) {
        await response.body?.cancel();
        throw new RidgepointError('checkpoint', `${url}: is another file each time; try again later`);
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        return this.#fetchOn();
      }
    }
    this.#total = length === undefined ? this.#file.size : this.#at + length;
    if (this.#etag !== etag || this.#at === 0) {
      this.#etag = etag;
      await writeState(this.#folder, this.#file.name, { etag, size: this.#total });
    }
    await this.#take(response);
    return true;
  }

  /** Whether an answer is the rest of the file that is there in part. */
  #goesOn(response: Response, etag: string | null, length: number | undefined): boolean {
    if (response.status !== 206 || etag !== this.#etag) return false;
    const at = this.#at;
    const { from = at, total = length && at + length } = placeOf(response);
    return from === at && (total === undefined || this.#total === undefined || total === this.#total);
  }

  async #take(response: Response): Promise<void> {
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new Cut('the connection was cut', { cause: error });
      });
      if (done) break;
      this.#write(value);
      this.#options.onBytes(this.#at, this.#total);
    }
    if (this.#total !== undefined && this.#at < this.#total) throw new Cut('the answer ended too soon');
  }

  #write(bytes: Uint8Array): void {
    try {
      this.#handle.write(bytes, { at: this.#at });
    } catch (cause) {
      if ((cause as DOMException).name !== 'QuotaExceededError') throw cause;
      throw new RidgepointError(
        'memory',
        `${this.#file.name}: the disk space that the browser gives this site ran out after ${Math.round(this.#at / 2 ** 20)} MiB, which are kept; delete stored models, or load with store: false`,
        { cause },
      );
    }
    this.#hash.update(bytes);
    this.#at += bytes.length;
    this.#came += bytes.length;
  }
}

/** Cut connections and servers in trouble may get well. */
const mayPass = (error: unknown): boolean =>
  error instanceof Cut || (error instanceof RidgepointError && error.code === 'network' && !isRefusal(error));

/** A model's folder on a server, read where it lies by ranges. */
import type { FileSource } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';
import { ask, cutOff } from './fetching.js';
import { BrowserFolder, decodeText } from './folder.js';
import { BlobFile } from './picked.js';

type Headers = Readonly<Record<string, string>>;

class RangeFile implements FileSource {
  #whole: Promise<BlobFile> | undefined;

  readonly #headers: Headers;
  readonly #url: string;
  /** What the file was when it was opened. */
  readonly #tag: string | null;

  constructor(
    readonly name: string,
    readonly size: number,
    url: string,
    tag: string | null,
    headers: Headers,
  ) {
    this.#url = url;
    this.#tag = tag;
    this.#headers = headers;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (this.#whole !== undefined) return (await this.#whole).read(offset, into);
    const range = `bytes=${offset}-${offset + into.length - 1}`;
    const response = await this.#ask({ headers: { ...this.#headers, range } });
    if (response.status !== 206) {
      // A server without ranges sends all of it: once is enough.
      this.#whole ??= response.blob().then((blob) => new BlobFile(this.name, blob));
      return (await this.#whole).read(offset, into);
    }
    if (response.headers.get('etag') !== this.#tag) {
      throw new RidgepointError('checkpoint', `${this.#url}: was changed while it was read; load the model again`);
    }
    const bytes = new Uint8Array(await body(response, this.#url));
    if (bytes.length !== into.length) {
      const wanted = `${into.length} bytes at ${offset}`;
      throw new RidgepointError(
        'checkpoint',
        `${this.#url}: ends while ${wanted} were to be read; load the model again`,
      );
    }
    into.set(bytes);
  }

  close(): Promise<void> {
    this.#whole = undefined;
    return Promise.resolve();
  }

  async #ask(init: RequestInit): Promise<Response> {
    const response = await ask(this.#url, init);
    if (response === undefined) throw new RidgepointError('checkpoint', `${this.#url}: is not there any more`);
    return response;
  }
}

/** A connection may be cut in the middle of an answer. */
async function body(response: Response, url: string): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch (error) {
    throw cutOff(url, error);
  }
}

export class ServedFolder extends BrowserFolder {
  readonly #headers: Headers;
  readonly #url: string;

  /** @param url of the folder, with a slash at its end */
  constructor(name: string, url: string, headers: Headers = {}) {
    super(name);
    this.#url = url;
    this.#headers = headers;
  }

  protected async find(file: string): Promise<FileSource | undefined> {
    const url = new URL(file, this.#url).href;
    const response = await ask(url, { method: 'HEAD', headers: this.#headers });
    if (response === undefined) return undefined;
    const size = Number(response.headers.get('content-length') ?? NaN);
    if (!Number.isFinite(size)) {
      const whole = await ask(url, { headers: this.#headers });
      return whole && new BlobFile(file, new Blob([await body(whole, url)]));
    }
    return new RangeFile(file, size, url, response.headers.get('etag'), this.#headers);
  }

  /** Texts may come compressed, so their length is not known before. */
  override async readText(file: string): Promise<string | undefined> {
    const url = new URL(file, this.#url).href;
    const response = await ask(url, { headers: this.#headers });
    return response && decodeText(new Uint8Array(await body(response, url)), url);
  }
}

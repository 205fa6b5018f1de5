import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FileSink, ModelSink } from '../../src/checkpoint/sink.js';
import type { FileSource, ModelFolder } from '../../src/checkpoint/source.js';
import { RidgepointError } from '../../src/errors.js';

/** A real checkpoint of 260,000 parameters, kept next to the repository; absent in a bare clone. */
export const stories = fileURLToPath(new URL('../../../shared/data/models/stories260K', import.meta.url));
export const hasStories = existsSync(stories);

export interface TensorSpec {
  dtype: string;
  shape: number[];
  data: Uint8Array;
}

/** A safetensors file around a header text, whatever that says. */
export function withHeader(header: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

/** A well-formed safetensors file. */
export function safetensors(tensors: Record<string, TensorSpec>, headerPadding = 0): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, (end += data.length)] };
  }
  const bytes = new Uint8Array(end);
  end = 0;
  for (const { data } of Object.values(tensors)) {
    bytes.set(data, end);
    end += data.length;
  }
  return withHeader(JSON.stringify(header) + ' '.repeat(headerPadding), bytes);
}

export class MemoryFile implements FileSource {
  reads = 0;
  open = true;

  readonly #bytes: Uint8Array;

  constructor(
    readonly name: string,
    bytes: Uint8Array,
    readonly size = bytes.length,
  ) {
    this.#bytes = bytes;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    this.reads++;
    await Promise.resolve();
    if (!this.open) throw new Error(`${this.name} was read after it was closed`);
    if (offset < 0 || offset + into.length > this.#bytes.length) {
      throw new RidgepointError('checkpoint', `${this.name}: ends early`);
    }
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  close(): Promise<void> {
    this.open = false;
    return Promise.resolve();
  }
}

export class MemoryFolder implements ModelFolder {
  readonly name = 'memory';
  readonly opened: MemoryFile[] = [];

  readonly #files: Record<string, Uint8Array | string>;

  constructor(files: Record<string, Uint8Array | string>) {
    this.#files = files;
  }

  open(file: string): Promise<MemoryFile | undefined> {
    if (!Object.hasOwn(this.#files, file)) return Promise.resolve(undefined);
    const content = this.#files[file];
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const source = new MemoryFile(file, bytes);
    this.opened.push(source);
    return Promise.resolve(source);
  }

  list(): Promise<string[]> {
    return Promise.resolve(Object.keys(this.#files).sort());
  }

  readText(file: string): Promise<string | undefined> {
    const content = Object.hasOwn(this.#files, file) ? this.#files[file] : undefined;
    return Promise.resolve(typeof content === 'object' ? new TextDecoder().decode(content) : content);
  }
}

/** The message of the RidgepointError that `run` throws; any other error, or none, fails the test. */
export async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof RidgepointError) return error.message;
    throw error;
  }
  throw new Error('expected a RidgepointError, but nothing was thrown');
}

/** Files that are written in memory; `files` are what a `MemoryFolder` reads. */
export class MemorySink implements ModelSink {
  readonly files: Record<string, Uint8Array> = {};
  /** Files not closed yet. */
  open = 0;

  create(file: string): Promise<FileSink> {
    let bytes = new Uint8Array();
    this.open++;
    return Promise.resolve({
      write: (offset: number, piece: Uint8Array) => {
        if (offset + piece.length > bytes.length) {
          const longer = new Uint8Array(offset + piece.length);
          longer.set(bytes);
          bytes = longer;
        }
        bytes.set(piece, offset);
        return Promise.resolve();
      },
      close: () => {
        this.open--;
        this.files[file] = bytes;
        return Promise.resolve();
      },
    });
  }
}

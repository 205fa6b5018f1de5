import { RidgepointError } from '../../errors.js';
import type { Checkpoint, TensorEntry, TensorInfo, WeightInfo } from '../checkpoint.js';
import type { TensorDtype } from '../convert.js';
import { printable } from '../source.js';
import type { FileSource, ModelFolder } from '../source.js';
import { filesOf } from './files.js';
import { readHeader } from './header.js';

const USABLE: Readonly<Record<TensorDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

function isUsable(dtype: string): dtype is TensorDtype {
  return Object.hasOwn(USABLE, dtype);
}

class SafetensorsCheckpoint implements Checkpoint {
  readonly tensors = new Map<string, TensorInfo>();
  totalBytes = 0;
  readonly #sources: ReadonlyMap<string, FileSource>;

  constructor(sources: ReadonlyMap<string, FileSource>) {
    this.#sources = sources;
  }

  add(entry: TensorEntry, file: string): void {
    this.tensors.set(entry.name, { ...entry, file });
    this.totalBytes += entry.end - entry.begin;
  }

  require(name: string, shape: readonly number[]): WeightInfo {
    const info = this.tensors.get(name);
    if (info === undefined) {
      const files = [...this.#sources.keys()];
      const where = files.length <= 2 ? files.join(' or ') : `any of ${files.length} files (${files[0]}, ...)`;
      fail(`${name}: expected [${shape.join(', ')}], found no tensor of that name in ${where}`);
    }
    const { dtype } = info;
    const found = `[${info.shape.join(', ')}]`;
    const expected = `[${shape.join(', ')}]`;
    if (!isUsable(dtype)) {
      const kinds = Object.values(USABLE).join(', ');
      fail(`${name}: expected ${expected} in one of ${kinds}, found ${found} ${printable(dtype)} in ${info.file}`);
    }
    if (found !== expected) fail(`${name}: expected ${expected} ${USABLE[dtype]}, found ${found} in ${info.file}`);
    return { ...info, dtype };
  }

  async readRange(name: string, byteOffset: number, into: Uint8Array): Promise<void> {
    const info = this.tensors.get(name);
    const source = info && this.#sources.get(info.file);
    if (info === undefined || source === undefined) fail(`${name}: no such tensor`);
    if (!(byteOffset >= 0) || info.begin + byteOffset + into.length > info.end) {
      const range = `bytes ${byteOffset} to ${byteOffset + into.length}`;
      throw new RidgepointError('internal', `${name}: ${range} lie outside its ${info.end - info.begin} bytes`);
    }
    await source.read(info.begin + byteOffset, into);
  }

  quantsOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()));
  }
}

/**
 * Opens a model's safetensors: one `model.safetensors`, the shards that `model.safetensors.index.json` lists, or without
 * an index the shards that are there. The index is asked where a tensor is that two shards hold, and for nothing else.
 * Reads the headers only; the checkpoint keeps its files open until it is closed.
 *
 * @throws RidgepointError('checkpoint') if a file is missing or damaged, or two files hold the same tensor
 */
export async function openSafetensors(folder: ModelFolder): Promise<Checkpoint> {
  const { sources, listed } = await filesOf(folder);
  const checkpoint = new SafetensorsCheckpoint(sources);
  try {
    for (const [file, source] of sources) {
      const { tensors } = await readHeader(source);
      for (const entry of tensors.values()) {
        const place = listed?.get(entry.name) ?? file;
        // A tensor that the index places elsewhere is not part of the model.
        if (place !== file) continue;
        const known = checkpoint.tensors.get(entry.name);
        if (known !== undefined) fail(`${printable(entry.name)}: is in both ${known.file} and ${file}; remove one`);
        checkpoint.add(entry, file);
      }
    }
    return checkpoint;
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

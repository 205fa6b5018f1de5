import { RidgepointError } from '../errors.js';
import type { TensorDtype } from './convert.js';
import { readHeader } from './safetensors.js';
import type { TensorEntry } from './safetensors.js';
import { isPlainFileName, printable } from './source.js';
import type { FileSource, ModelFolder } from './source.js';

/** A tensor and the file that holds it. */
export interface TensorInfo extends TensorEntry {
  /** For example `model-00001-of-00002.safetensors`. */
  readonly file: string;
}

/** A tensor whose dtype the engine can use as a weight. */
export interface WeightInfo extends TensorInfo {
  readonly dtype: TensorDtype;
}

/** The tensors of a model, over all its files. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Bytes of all tensors together. */
  readonly totalBytes: number;
  /**
   * The tensor `name`, if it has this shape and is F32, F16 or BF16.
   *
   * @throws RidgepointError('checkpoint') naming the tensor, what was expected, what was found and in which file
   */
  require(name: string, shape: readonly number[]): WeightInfo;
  /** Fills `into` with the tensor's bytes from `byteOffset` on, counted from the tensor's first byte. */
  readRange(name: string, byteOffset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

const USABLE: Readonly<Record<TensorDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

function isUsable(dtype: string): dtype is TensorDtype {
  return Object.hasOwn(USABLE, dtype);
}

class OpenCheckpoint implements Checkpoint {
  readonly tensors = new Map<string, TensorInfo>();
  totalBytes = 0;

  constructor(private readonly sources: ReadonlyMap<string, FileSource>) {}

  add(entry: TensorEntry, file: string): void {
    this.tensors.set(entry.name, { ...entry, file });
    this.totalBytes += entry.end - entry.begin;
  }

  require(name: string, shape: readonly number[]): WeightInfo {
    const info = this.tensors.get(name);
    if (info === undefined) {
      const files = [...this.sources.keys()];
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
    const source = info && this.sources.get(info.file);
    if (info === undefined || source === undefined) fail(`${name}: no such tensor`);
    if (!(byteOffset >= 0) || info.begin + byteOffset + into.length > info.end) {
      const range = `bytes ${byteOffset} to ${byteOffset + into.length}`;
      throw new RidgepointError('internal', `${name}: ${range} lie outside its ${info.end - info.begin} bytes`);
    }
    await source.read(info.begin + byteOffset, into);
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }
}

/** The `weight_map` of a sharded checkpoint: tensor name to file name. */
function parseIndex(text: string): Map<string, string> {
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown } | null)?.weight_map;
  } catch (cause) {
    throw new RidgepointError('checkpoint', `${INDEX}: is not valid JSON; download it again`, { cause });
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    fail(`${INDEX}: "weight_map" is missing or not an object; download it again`);
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlainFileName(file)) {
      const shown = printable(String(JSON.stringify(file)));
      fail(`${INDEX}: ${printable(tensor)} is said to be in ${shown}, which is not a file of the model's folder`);
    }
    files.set(tensor, file);
  }
  if (files.size === 0) fail(`${INDEX}: "weight_map" is empty; download it again`);
  return files;
}

/** Opens all files or none: whatever was opened before a failure is closed again. */
async function openAll(folder: ModelFolder, files: readonly string[]): Promise<Map<string, FileSource>> {
  const sources = new Map<string, FileSource>();
  try {
    for (const file of files) {
      const source = await folder.open(file);
      if (source === undefined) fail(`${printable(file)}: is named in ${INDEX} but missing from ${folder.name}`);
      sources.set(file, source);
    }
    return sources;
  } catch (error) {
    await Promise.allSettled([...sources.values()].map((source) => source.close()));
    throw error;
  }
}

async function whyNoCheckpoint(folder: ModelFolder): Promise<string> {
  for (const file of ['pytorch_model.bin', 'pytorch_model.bin.index.json', 'consolidated.00.pth']) {
    const source = await folder.open(file);
    if (source === undefined) continue;
    await source.close();
    return `${folder.name}: has ${file} but no ${SINGLE}; convert the checkpoint to safetensors`;
  }
  return `${folder.name}: has neither ${SINGLE} nor ${INDEX}; give a folder that holds a safetensors checkpoint`;
}

/**
 * Opens a model's safetensors: one `model.safetensors`, or the shards that `model.safetensors.index.json` lists. Reads
 * the headers only; the checkpoint keeps its files open until it is closed.
 *
 * @throws RidgepointError('checkpoint') if a file is missing or damaged, or a listed tensor is not where it should be
 */
export async function openCheckpoint(folder: ModelFolder): Promise<Checkpoint> {
  const single = await folder.open(SINGLE);
  let listed: Map<string, string> | undefined;
  let sources: Map<string, FileSource>;
  if (single !== undefined) {
    sources = new Map([[SINGLE, single]]);
  } else {
    const index = await folder.readText(INDEX);
    if (index === undefined) fail(await whyNoCheckpoint(folder));
    listed = parseIndex(index);
    sources = await openAll(folder, [...new Set(listed.values())].sort());
  }

  const checkpoint = new OpenCheckpoint(sources);
  try {
    for (const [file, source] of sources) {
      const { tensors } = await readHeader(source);
      for (const entry of tensors.values()) {
        // A tensor that the index places elsewhere, or not at all, is not part of the model.
        if (listed === undefined || listed.get(entry.name) === file) checkpoint.add(entry, file);
      }
    }
    for (const [tensor, file] of listed ?? []) {
      if (!checkpoint.tensors.has(tensor)) {
        fail(`${printable(tensor)}: ${INDEX} places it in ${file}, but it is not there; download both again`);
      }
    }
    return checkpoint;
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

import { RidgepointError } from '../errors.js';
import type { TensorDtype } from './convert.js';
import { parseJson, whatFolderIs } from './mistakes.js';
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
  const map = (parseJson(text, INDEX) as { weight_map?: unknown } | null)?.weight_map;
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

/** Why a folder has no weights that can be opened. */
async function whyNoCheckpoint(folder: ModelFolder): Promise<string> {
  const what = await whatFolderIs(folder);
  if (what !== undefined) return `${folder.name}: has no ${SINGLE}; ${what}`;
  return `${folder.name}: has neither ${SINGLE} nor ${INDEX}; give a folder that holds a safetensors checkpoint`;
}

/**
 * The safetensors of a folder without an index: all shards of one set, or the only file there is.
 *
 * @throws RidgepointError where some shards are missing, or it cannot be told which files belong together
 */
async function unlistedFiles(folder: ModelFolder): Promise<string[]> {
  const names = ((await folder.list?.()) ?? []).filter((name) => /\.safetensors$/.test(name));
  const usable = names.filter((name) => !/^(adapter_|consolidated)/.test(name));
  const shards = usable.flatMap((name) => {
    const found = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/.exec(name);
    return found === null ? [] : [{ name, set: found[1], of: Number(found[3]) }];
  });
  const [first] = shards;
  if (first !== undefined) {
    const set = shards.filter((shard) => shard.set === first.set && shard.of === first.of);
    if (set.length !== first.of || shards.length !== set.length) {
      const found = `${set.length} of the ${first.of} files ${first.set}-*-of-*.safetensors`;
      fail(`${folder.name}: has no ${INDEX}, and ${found}; download what is missing`);
    }
    return set.map(({ name }) => name).sort();
  }
  if (usable.length > 1) {
    fail(`${folder.name}: has neither ${SINGLE} nor ${INDEX}, but ${usable.join(', ')}; name the one to use ${SINGLE}`);
  }
  return usable.length === 1 ? usable : fail(await whyNoCheckpoint(folder));
}

/**
 * Opens a model's safetensors: one `model.safetensors`, the shards that `model.safetensors.index.json` lists, or without
 * an index the shards that are there. The index is asked where a tensor is that two shards hold, and for nothing else.
 * Reads the headers only; the checkpoint keeps its files open until it is closed.
 *
 * @throws RidgepointError('checkpoint') if a file is missing or damaged, or two files hold the same tensor
 */
export async function openCheckpoint(folder: ModelFolder): Promise<Checkpoint> {
  const single = await folder.open(SINGLE);
  let listed: Map<string, string> | undefined;
  let sources: Map<string, FileSource>;
  if (single !== undefined) {
    sources = new Map([[SINGLE, single]]);
  } else {
    const index = await folder.readText(INDEX);
    listed = index === undefined ? undefined : parseIndex(index);
    const files = listed === undefined ? await unlistedFiles(folder) : [...new Set(listed.values())].sort();
    sources = await openAll(folder, files);
  }

  const checkpoint = new OpenCheckpoint(sources);
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

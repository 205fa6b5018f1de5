import { RidgepointError } from '../../errors.js';
import { parseJson, whatFolderIs } from '../mistakes.js';
import { isPlainFileName, printable } from '../source.js';
import type { FileSource, ModelFolder } from '../source.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
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

/** The open files of a checkpoint by name, and where its index says that each tensor lies. */
export interface CheckpointFiles {
  readonly sources: ReadonlyMap<string, FileSource>;
  readonly listed: ReadonlyMap<string, string> | undefined;
}

/**
 * Opens one `model.safetensors`, the shards that `model.safetensors.index.json` lists, or without an index the shards
 * that are there.
 *
 * @throws RidgepointError('checkpoint') naming the file that is missing or cannot be true
 */
export async function filesOf(folder: ModelFolder): Promise<CheckpointFiles> {
  const single = await folder.open(SINGLE);
  if (single !== undefined) return { sources: new Map([[SINGLE, single]]), listed: undefined };
  const index = await folder.readText(INDEX);
  const listed = index === undefined ? undefined : parseIndex(index);
  const files = listed === undefined ? await unlistedFiles(folder) : [...new Set(listed.values())].sort();
  return { sources: await openAll(folder, files), listed };
}

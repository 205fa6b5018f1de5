import { randomInt } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { EngineHost, HostGpu, ModelRequest } from '../../engine/host.js';
import { KvTransfer } from '../../engine/kv-transfer.js';
import type { ModelSource } from '../../model/open.js';
import { RidgepointError } from '../../errors.js';
import { option, words } from '../../wording.js';
import { parseJson, whatFolderIs } from '../../checkpoint/mistakes.js';
import { withQuantizeConfig } from '../../checkpoint/quantization-files.js';
import { chatAside } from './chat-aside.js';
import { openAdapter } from './dawn.js';
import { drivers } from './drivers.js';
import { openFolder } from './files.js';
import { freeGpuMemory } from './gpu-memory.js';
import { expectGpu } from './pace.js';
import { packageRoot } from './package-root.js';
import { tuningStore } from './tuning-store.js';

const EMBEDDED = 'tiny-tales';

/** Memory a CPU driver could still take: what the kernel says is available, caches included. */
async function availableMemory(): Promise<number> {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
    if (kib !== undefined) return Number(kib) * 1024;
  } catch {
    // not Linux
  }
  return freemem();
}

async function openGpu(adapter: string | undefined): Promise<HostGpu> {
  const opened = await openAdapter({ adapter });
  return {
    ...opened,
    // A CPU driver's memory is the machine's.
    freeMemory: async () =>
      opened.isCpu
        ? { bytes: await availableMemory(), by: 'the system' }
        : freeGpuMemory(opened.adapter.info.vendor, opened.name),
  };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function presets(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(packageRoot(), 'models', 'presets.json'), 'utf8')) as Record<string, unknown>;
}

async function openModelFolder(path: string, name: string): Promise<ModelSource> {
  const folder = await openFolder(path);
  const text = await folder.readText('config.json');
  if (text === undefined) {
    const what = (await whatFolderIs(folder)) ?? 'give the folder of a Hugging Face checkpoint';
    throw new RidgepointError('checkpoint', `${path}: holds no config.json; ${what}`);
  }
  const configName = join(path, 'config.json');
  return { name, folder, config: await withQuantizeConfig(parseJson(text, configName), folder), configName };
}

/** A Hub name: an owner and a repository, neither a path. */
const HUB_NAME = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

async function openModel(model: string | undefined, options: ModelRequest): Promise<ModelSource> {
  if (model === undefined || model === EMBEDDED) {
    return openModelFolder(join(packageRoot(), 'models', EMBEDDED), EMBEDDED);
  }
  if (await isFolder(model)) return openModelFolder(model, basename(resolve(model)));
  const known = await presets();
  if (Object.hasOwn(known, model)) {
    return { name: model, folder: undefined, config: known[model], configName: `preset ${model}` };
  }
  if (HUB_NAME.test(model)) {
    const { fetchModel } = await import('./hub.js');
    const judge = async (path: string): Promise<void> => {
      await options.judge?.(await openModelFolder(path, model));
    };
    return openModelFolder(await fetchModel(model, { ...options, judge }), model);
  }
  if (/[/\\]/.test(model)) await openFolder(model); // says whether it is absent, a file or unreadable
  throw new RidgepointError(
    'usage',
    words`${option('model', model)}: neither a folder, nor a Hub name (owner/name), nor a preset; presets are ${Object.keys(known).join(', ')}, and ${EMBEDDED} is built in`,
    { option: 'model' },
  );
}

/** Node's way to adapters, files and the Hub. */
export const nodeHost: EngineHost = {
  kvTransfer: (parts) => new KvTransfer(parts),
  openGpu,
  openModel,
  tuning: tuningStore,
  drivers,
  expectGpu,
  chatAside,
  // Node loads what `globalThis.crypto` needs at its first use, which takes it milliseconds.
  randomSeed: () => randomInt(2 ** 32),
};

import { parseJson } from '../checkpoint/mistakes.js';
import { isPlainFileName, printable, type ModelFolder } from '../checkpoint/source.js';

/** How rows of a prompt become one vector: the mean of all, or the last. */
export type Pooling = 'mean' | 'last';

export const POOLINGS = ['mean', 'last'] as const satisfies readonly Pooling[];

/** How a model makes embeddings of its hidden states, or why that cannot be done here. */
export type ModelPooling =
  { readonly pooling: Pooling; readonly normalize: boolean } | { readonly unsupported: string };

/** What was asked for goes before what the model says. */
export function poolingAsked(own: ModelPooling | undefined, asked: Pooling | undefined): ModelPooling | undefined {
  if (asked === undefined) return own;
  return { pooling: asked, normalize: own === undefined || 'unsupported' in own || own.normalize };
}

/** Of sentence-transformers: the steps from a text to its vector. */
export const MODULES_FILE = 'modules.json';
const POOLING_MODES: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_lasttoken: 'last',
};

/**
 * How a folder of sentence-transformers pools: by its `modules.json` and the `config.json` of its pooling.
 *
 * @returns undefined where there is no `modules.json`, and where the platform does not look into folders of a folder
 * @throws RidgepointError naming the file that is no JSON
 */
export async function readPooling(folder: ModelFolder): Promise<ModelPooling | undefined> {
  if (folder.within === undefined) return undefined;
  const text = await folder.readText(MODULES_FILE);
  if (text === undefined) return undefined;
  const modules = parseJson(text, MODULES_FILE);
  const unsupported = (what: string): ModelPooling => ({ unsupported: what });
  if (!Array.isArray(modules)) return unsupported(`${MODULES_FILE} is not a list`);
  let pooling: Pooling | undefined;
  let normalize = false;
  for (const module of modules as Module[]) {
    const type = kindOf(module);
    if (type === 'Transformer') continue;
    if (type === 'Normalize') normalize = true;
    else if (type !== 'Pooling') return unsupported(`module ${printable(type)} of ${MODULES_FILE}`);
    else {
      const found = await poolingOf(folder, module.path);
      if (typeof found !== 'string') return found;
      pooling = found;
    }
  }
  return pooling === undefined ? unsupported(`${MODULES_FILE} without a module Pooling`) : { pooling, normalize };
}

interface Module {
  readonly type?: unknown;
  readonly path?: unknown;
}

const kindOf = (module: Module): string => String(module?.type).split('.').at(-1)!;

/** Folders inside a model's that say how it pools, by the text of its `modules.json`; none where that is no such list. */
export function poolingFolders(text: string): string[] {
  let modules: unknown;
  try {
    modules = parseJson(text, MODULES_FILE);
  } catch {
    return []; // told of where it is read
  }
  if (!Array.isArray(modules)) return [];
  const paths = (modules as Module[]).filter((module) => kindOf(module) === 'Pooling').map(({ path }) => path);
  return [...new Set(paths)].filter((path): path is string => typeof path === 'string' && isPlainFileName(path));
}

async function poolingOf(folder: ModelFolder, path: unknown): Promise<Pooling | ModelPooling> {
  if (typeof path !== 'string' || !isPlainFileName(path))
    return { unsupported: `"path" of a module in ${MODULES_FILE}` };
  const file = `${path}/config.json`;
  const text = await (await folder.within!(path))?.readText('config.json');
  if (text === undefined) return { unsupported: `pooling without ${printable(file)}` };
  const settings = (parseJson(text, file) ?? {}) as Record<string, unknown>;
  const modes = Object.keys(settings).filter((key) => key.startsWith('pooling_mode_') && settings[key] === true);
  // Newer ones name it in one key.
  const [mode = String(settings['pooling_mode'])] = modes;
  const named: Readonly<Record<string, Pooling>> = { ...POOLING_MODES, mean: 'mean', lasttoken: 'last' };
  if (modes.length > 1 || !Object.hasOwn(named, mode)) {
    const what = modes.length > 1 ? modes.join(' with ') : mode;
    return { unsupported: `${printable(what)} in ${printable(file)}` };
  }
  return named[mode];
}

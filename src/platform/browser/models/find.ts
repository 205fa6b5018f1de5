import { parseJson, whatFolderIs } from '../../../checkpoint/mistakes.js';
import { withQuantizeConfig } from '../../../checkpoint/quantization-files.js';
import type { ModelFolder } from '../../../checkpoint/source.js';
import type { ComingWeights, ModelRequest } from '../../../engine/host.js';
import { RidgepointError } from '../../../errors.js';
import type { ModelSource } from '../../../model/open.js';
import { option, words } from '../../../wording.js';
import { ask } from './fetching.js';
import { fetchModel } from './fetch-model.js';
import { listHub, type RemoteFolder } from './listing.js';
import { EMBEDDED, isHubName, isUrl } from './names.js';
import { FileListFolder, PickedFolder, type ChosenFile } from './picked.js';
import { ServedFolder } from './served.js';
import { canStore, readManifest, storeFolder } from './store.js';
import { StoredFolder } from './stored.js';

/** A model on its way to the engine. */
export type WantedModel = string | FileSystemDirectoryHandle | readonly ChosenFile[];

/** Where models are looked for. */
export interface ModelPlaces {
  readonly modelsUrl: string;
  readonly pageUrl: string;
  readonly hubUrl: string;
  readonly hubToken: string | undefined;
  /** Whether what is downloaded is kept. */
  readonly store: boolean;
}

/**
 * Finds a model and opens its folder.
 *
 * @throws RidgepointError naming what is wrong with it
 */
export async function openBrowserModel(
  model: WantedModel | undefined,
  places: ModelPlaces,
  request: ModelRequest,
): Promise<ModelSource> {
  if (model === undefined || model === EMBEDDED) return openEmbedded(places);
  if (typeof model !== 'string') return openFolder(folderOf(model));
  if (isUrl(model)) return openRemote(servedFolder(new URL(model, places.pageUrl)), places, request);
  const presets = await readPresets(places);
  if (Object.hasOwn(presets, model)) {
    return { name: model, folder: undefined, config: presets[model], configName: `preset ${model}` };
  }
  if (isHubName(model)) return openRemote(hubFolder(model, places), places, request);
  throw new RidgepointError(
    'usage',
    words`${option('model', model)}: neither the URL of a folder (https://…, /… or ./…), nor a Hub name (owner/name), nor a preset; presets are ${Object.keys(presets).join(', ')}, and ${EMBEDDED} comes along`,
    { option: 'model' },
  );
}

const folderOf = (model: Exclude<WantedModel, string>): ModelFolder =>
  model instanceof FileSystemDirectoryHandle ? new PickedFolder(model) : new FileListFolder(model);

/** A model to be downloaded. */
interface RemoteModel {
  readonly name: string;
  /** Its name in the store. */
  readonly source: string;
  readonly headers: Record<string, string>;
  readonly remote: () => Promise<RemoteFolder>;
}

/** @param url with or without a slash at its end */
function servedFolder(url: URL): RemoteModel {
  const folder = new URL(url);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const name = folder.pathname.split('/').at(-2);
  return {
    name: name === undefined || name === '' ? folder.host : decodeURIComponent(name),
    source: folder.href,
    headers: {},
    remote: () => Promise.resolve({ url: folder.href }),
  };
}

function hubFolder(name: string, { hubUrl, hubToken }: ModelPlaces): RemoteModel {
  const headers: Record<string, string> = hubToken === undefined ? {} : { authorization: `Bearer ${hubToken}` };
  return { name, source: name, headers, remote: () => listHub(hubUrl, name, headers) };
}

/** A model on a server: downloaded into the store where there is one, else read where it lies. */
async function openRemote(model: RemoteModel, { store }: ModelPlaces, request: ModelRequest): Promise<ModelSource> {
  const { name, source, headers, remote } = model;
  if (store && canStore()) {
    const { onProgress, signal } = request;
    const judge = async (folder: FileSystemDirectoryHandle, coming: ComingWeights): Promise<void> => {
      await request.judge?.(await openFolder(new StoredFolder(name, folder)), coming);
    };
    const folder = await fetchModel(source, { remote, headers, onProgress, signal, judge });
    if (folder !== undefined) return openFolder(new StoredFolder(name, folder));
  }
  if (store) {
    // Here nothing can be written; another thread has done so.
    const folder = await storeFolder(source);
    if (folder !== undefined && (await readManifest(folder)) !== undefined) {
      return openFolder(new StoredFolder(name, folder));
    }
  }
  return openFolder(new ServedFolder(name, (await remote()).url, headers));
}

async function openEmbedded({ modelsUrl }: ModelPlaces): Promise<ModelSource> {
  const url = new URL(`${EMBEDDED}/`, modelsUrl).href;
  try {
    return await openFolder(new ServedFolder(EMBEDDED, url));
  } catch (cause) {
    const why = (cause as Error).message;
    throw new RidgepointError(
      'checkpoint',
      words`${EMBEDDED} is not at ${url} (${why}); put the package's folder "models" somewhere and give its URL as modelsUrl, or load with ${option('model')}`,
      { cause },
    );
  }
}

async function readPresets({ modelsUrl }: ModelPlaces): Promise<Record<string, unknown>> {
  const url = new URL('presets.json', modelsUrl).href;
  const response = await ask(url);
  return response === undefined ? {} : (parseJson(await response.text(), url) as Record<string, unknown>);
}

async function openFolder(folder: ModelFolder): Promise<ModelSource> {
  const text = await folder.readText('config.json');
  const { name } = folder;
  if (text === undefined) {
    const what = (await whatFolderIs(folder)) ?? 'give the folder of a Hugging Face checkpoint';
    throw new RidgepointError('checkpoint', `${name}: holds no config.json; ${what}`);
  }
  const configName = `${name}/config.json`;
  return { name, folder, config: await withQuantizeConfig(parseJson(text, configName), folder), configName };
}

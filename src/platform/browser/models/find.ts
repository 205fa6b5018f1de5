import { parseJson } from '../../../checkpoint/mistakes.js';
import type { ModelFolder } from '../../../checkpoint/source.js';
import type { ModelRequest } from '../../../engine/host.js';
import { RidgepointError } from '../../../errors.js';
import type { ModelSource } from '../../../model/open.js';
import { option, words } from '../../../wording.js';
import { ask } from './fetching.js';
import { EMBEDDED, isHubName, isUrl } from './names.js';
import { sourceOfFolder } from './folder-source.js';
import { FileListFolder, PickedFolder, type ChosenFile } from './picked.js';
import { ServedFolder } from './served.js';

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
  if (typeof model !== 'string') return sourceOfFolder(folderOf(model));
  if (isUrl(model)) {
    const { openRemote, servedFolder } = await import('./remote.js');
    return openRemote(servedFolder(new URL(model, places.pageUrl)), places, request);
  }
  const presets = await readPresets(places);
  if (Object.hasOwn(presets, model)) {
    return { name: model, folder: undefined, config: presets[model], configName: `preset ${model}` };
  }
  if (isHubName(model)) {
    const { openRemote, hubFolder } = await import('./remote.js');
    return openRemote(hubFolder(model, places), places, request);
  }
  throw new RidgepointError(
    'usage',
    words`${option('model', model)}: neither the URL of a folder (https://…, /… or ./…), nor a Hub name (owner/name), nor a preset; presets are ${Object.keys(presets).join(', ')}, and ${EMBEDDED} comes along`,
    { option: 'model' },
  );
}

const folderOf = (model: Exclude<WantedModel, string>): ModelFolder =>
  model instanceof FileSystemDirectoryHandle ? new PickedFolder(model) : new FileListFolder(model);

async function openEmbedded({ modelsUrl }: ModelPlaces): Promise<ModelSource> {
  const url = new URL(`${EMBEDDED}/`, modelsUrl).href;
  try {
    return await sourceOfFolder(new ServedFolder(EMBEDDED, url));
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

/** Models on servers and in the store; its code is loaded with the first of them. */
import type { ComingWeights, ModelRequest } from '../../../engine/host.js';
import type { ModelSource } from '../../../model/open.js';
import { fetchModel } from './fetch-model.js';
import type { ModelPlaces } from './find.js';
import { listHub, type RemoteFolder } from './listing.js';
import { sourceOfFolder } from './folder-source.js';
import { ServedFolder } from './served.js';
import { canStore, readManifest, storeFolder } from './store.js';
import { StoredFolder } from './stored.js';

/** A model on a server. */
interface RemoteModel {
  readonly name: string;
  /** Its name in the store. */
  readonly source: string;
  readonly headers: Record<string, string>;
  readonly remote: () => Promise<RemoteFolder>;
}

/** @param url with or without a slash at its end */
export function servedFolder(url: URL): RemoteModel {
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

export function hubFolder(name: string, { hubUrl, hubToken }: ModelPlaces): RemoteModel {
  const headers: Record<string, string> = hubToken === undefined ? {} : { authorization: `Bearer ${hubToken}` };
  return { name, source: name, headers, remote: () => listHub(hubUrl, name, headers) };
}

/** A model on a server: downloaded into the store where there is one, else read where it lies. */
export async function openRemote(
  model: RemoteModel,
  { store }: ModelPlaces,
  request: ModelRequest,
): Promise<ModelSource> {
  const { name, source, headers, remote } = model;
  if (store && canStore()) {
    const { onProgress, signal } = request;
    const judge = async (folder: FileSystemDirectoryHandle, coming: ComingWeights): Promise<void> => {
      await request.judge?.(await sourceOfFolder(new StoredFolder(name, folder)), coming);
    };
    const folder = await fetchModel(source, { remote, headers, onProgress, signal, judge });
    if (folder !== undefined) return sourceOfFolder(new StoredFolder(name, folder));
  }
  if (store) {
    // Here nothing can be written; another thread has done so.
    const folder = await storeFolder(source);
    if (folder !== undefined && (await readManifest(folder)) !== undefined) {
      return sourceOfFolder(new StoredFolder(name, folder));
    }
  }
  return sourceOfFolder(new ServedFolder(name, (await remote()).url, headers));
}

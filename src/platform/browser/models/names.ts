import type { BrowserModel } from '../api.js';
import type { WantedModel } from './find.js';

/** The model that comes along. */
export const EMBEDDED = 'tiny-tales';

/** A Hub name: an owner and a repository. */
const HUB_NAME = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

export const isHubName = (model: string): boolean => HUB_NAME.test(model);

/** An address, or a path that begins as one does: a Hub name begins with neither slash nor dot. */
export const isUrl = (model: string): boolean => /^(https?:\/\/|\.{0,2}\/)/.test(model);

/** Whether a model has to be downloaded, which only dedicated workers can do into the store. */
export const isRemote = (model: BrowserModel | undefined): boolean =>
  typeof model === 'string' && model !== EMBEDDED && (isUrl(model) || isHubName(model));

/** A model as it crosses to a worker. */
export const wantedModel = (model: BrowserModel): WantedModel => {
  if (typeof model === 'string' || model instanceof FileSystemDirectoryHandle) return model;
  return model.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
};

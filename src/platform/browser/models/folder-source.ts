import { parseJson, whatFolderIs } from '../../../checkpoint/mistakes.js';
import { withQuantizeConfig } from '../../../checkpoint/quantization-files.js';
import type { ModelFolder } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';
import type { ModelSource } from '../../../model/open.js';

/** Opens a folder as a model. @throws RidgepointError saying what the folder is, where it is no checkpoint */
export async function sourceOfFolder(folder: ModelFolder): Promise<ModelSource> {
  const text = await folder.readText('config.json');
  const { name } = folder;
  if (text === undefined) {
    const what = (await whatFolderIs(folder)) ?? 'give the folder of a Hugging Face checkpoint';
    throw new RidgepointError('checkpoint', `${name}: holds no config.json; ${what}`);
  }
  const configName = `${name}/config.json`;
  return { name, folder, config: await withQuantizeConfig(parseJson(text, configName), folder), configName };
}

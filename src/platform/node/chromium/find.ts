import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { cacheFolders, isOwn } from '../own-folder.js';
import { packedChromium, type ChromiumProgram } from './packed.js';

/** The folder of the optional package's headless shell. */
const PACKED = 'chromium-147';

/** What browsers built on Chromium are called on the search path. */
const NAMES = [
  ...['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'],
  ...['microsoft-edge', 'brave-browser'],
];

/** Where they are installed on systems that do not put them on the search path. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
    (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
  ),
  win32: [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .flatMap((folder) => [
      join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ]),
};

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Finds a browser built on Chromium: the one named, that of CHROME_PATH, an installed one, the one that the optional
 * package carries.
 *
 * @throws RidgepointError ('usage') where the named one is no program, or there is none
 */
export async function findChromium(named: string | undefined): Promise<ChromiumProgram> {
  const chosen = named ?? process.env.CHROME_PATH;
  if (chosen !== undefined && chosen !== '') {
    if (isProgram(chosen)) return { path: chosen, env: {} };
    const by = named === undefined ? words`CHROME_PATH` : words`${option('bench.browser')}`;
    throw new RidgepointError('usage', words`${by} ${chosen}: is no program; name one, such as /usr/bin/chromium`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [...onPath, ...(PLACES[process.platform] ?? [])].find(isProgram);
  if (found !== undefined) return { path: found, env: {} };
  const base = cacheFolders().find(isUsable);
  const packed = base === undefined ? undefined : await packedChromium(join(base, PACKED));
  if (packed !== undefined) return packed;
  throw new RidgepointError(
    'usage',
    words`there is no Chrome or Chromium here; install one, or name its program with ${option('bench.browser')} or CHROME_PATH`,
  );
}

function isUsable(folder: string): boolean {
  try {
    return isOwn(folder);
  } catch {
    return false;
  }
}

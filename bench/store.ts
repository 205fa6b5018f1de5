import { join } from 'node:path';
import { RidgepointError } from '../src/errors.js';
import { cacheFolder } from '../src/platform/node/own-folder.js';
import { readWhole } from '../src/platform/node/read-whole.js';
import { writeWhole } from '../src/platform/node/whole-file.js';
import { parseResult } from './read-result.js';
import type { BenchResult } from './schema.js';

/** Where the latest result is kept for commands that are not told of a file. */
export const latestPath = (): string => join(cacheFolder(), 'bench', 'latest.json');

export { writeWhole };

export const writeResult = (path: string, result: BenchResult): Promise<void> =>
  writeWhole(path, `${JSON.stringify(result, null, 1)}\n`);

/** @throws RidgepointError when it is absent, no JSON, or of another shape; the message names the field */
export async function readResult(path: string): Promise<BenchResult> {
  let text: string;
  try {
    text = (await readWhole(path)).toString('utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new RidgepointError('usage', `${path}: ${why}; "ridgepoint bench" writes one`, { cause });
  }
  return parseResult(text, path);
}

import type { TextEngine } from '../engine/api.js';
import { RidgepointError } from '../errors.js';
import { readTextFile } from './text-file.js';

/** The text of `--chat-template`. @throws RidgepointError naming the file */
export async function readTemplate(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : readTextFile(file, `--chat-template ${file}`);
}

/** A template with a fault in it should not wait for the first request. What it says about the messages is no fault. */
export function checkTemplate(engine: TextEngine): void {
  try {
    engine.chatText([{ role: 'user', content: 'Hello' }]);
  } catch (error) {
    if (!(error instanceof RidgepointError && error.code === 'prompt')) throw error;
  }
}

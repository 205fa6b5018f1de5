import type { ModelFolder } from '../checkpoint/source.js';
import { RidgepointError } from '../errors.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';

import type { ChatEncoder } from './engine.js';
export async function readJson(folder: ModelFolder | undefined, file: string): Promise<unknown> {
  const text = await folder?.readText(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RidgepointError('checkpoint', `${file}: is not valid JSON; download it again`, { cause });
  }
}

/** @param template Jinja text that stands before the folder's own chat template */
export async function openTokenizer(
  folder: ModelFolder | undefined,
  template?: string,
): Promise<{ tokenizer: Tokenizer | undefined; encodeChat: ChatEncoder | undefined }> {
  const [json, config, chatTemplate] = await Promise.all([
    readJson(folder, 'tokenizer.json'),
    readJson(folder, 'tokenizer_config.json'),
    template ?? folder?.readText('chat_template.jinja'),
  ]);
  if (json === undefined) return { tokenizer: undefined, encodeChat: undefined };
  const tokenizer = Tokenizer.fromJson(json, config, { chatTemplate });
  tokenizer.prepare();
  if (tokenizer.chatTemplate === undefined) return { tokenizer, encodeChat: undefined };
  const { encodeChat } = await import('../tokenizer/chat.js');
  return { tokenizer, encodeChat: (messages) => encodeChat(tokenizer, messages) };
}

import { parseJson } from '../checkpoint/mistakes.js';
import type { ModelFolder } from '../checkpoint/source.js';
import { Tokenizer, type TokenizerExtras } from '../tokenizer/tokenizer.js';
import type { ChatRenderer } from './engine-parts.js';
export async function readJson(folder: ModelFolder | undefined, file: string): Promise<unknown> {
  const text = await folder?.readText(file);
  if (text === undefined) return undefined;
  return parseJson(text, file);
}

/**
 * @param template Jinja text that stands before the folder's own chat template
 * @param ids BOS and EOS by the model's own files, where the tokenizer's name none
 */
export async function openTokenizer(
  folder: ModelFolder | undefined,
  template?: string,
  ids: Pick<TokenizerExtras, 'bosTokenId' | 'eosTokenId'> = {},
): Promise<{ tokenizer: Tokenizer | undefined; chatText: ChatRenderer | undefined }> {
  const [json, config, specialTokensMap, chatTemplate] = await Promise.all([
    readJson(folder, 'tokenizer.json'),
    readJson(folder, 'tokenizer_config.json'),
    readJson(folder, 'special_tokens_map.json'),
    template ?? folder?.readText('chat_template.jinja'),
  ]);
  if (json === undefined) return { tokenizer: undefined, chatText: undefined };
  const tokenizer = Tokenizer.fromJson(json, config, { chatTemplate, specialTokensMap, ...ids });
  tokenizer.prepare();
  if (tokenizer.chatTemplate === undefined) return { tokenizer, chatText: undefined };
  const { chatText } = await import('../tokenizer/chat.js');
  return { tokenizer, chatText: (messages) => chatText(tokenizer, messages) };
}

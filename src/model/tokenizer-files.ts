import { readJsonFile } from '../checkpoint/mistakes.js';
import type { ModelFolder } from '../checkpoint/source.js';
import type { ChatTurn, ChatWishes } from '../tokenizer/chat.js';
import { Tokenizer, type TokenizerExtras } from '../tokenizer/tokenizer.js';

/** Text of a conversation as the model was trained to see it. */
export type ChatRenderer = (messages: readonly ChatTurn[], wishes?: ChatWishes) => string;

/** A template in a file of its own: Jinja's, or the older one of JSON. */
async function readTemplate(folder: ModelFolder): Promise<string | undefined> {
  const jinja = await folder.readText('chat_template.jinja');
  if (jinja !== undefined) return jinja;
  const json = (await readJsonFile(folder, 'chat_template.json')) as { chat_template?: unknown } | null | undefined;
  return typeof json?.chat_template === 'string' ? json.chat_template : undefined;
}

/**
 * Opens a folder's tokenizer and its chat template.
 *
 * @param template Jinja text that stands before the folder's own chat template
 * @param ids BOS and EOS by the model's own files, where the tokenizer's name none
 */
export async function openTokenizer(
  folder: ModelFolder | undefined,
  template?: string,
  ids: Pick<TokenizerExtras, 'bosTokenId' | 'eosTokenId'> = {},
): Promise<{ tokenizer: Tokenizer | undefined; chatText: ChatRenderer | undefined }> {
  const [json, config, specialTokensMap, addedTokens, chatTemplate] = await Promise.all([
    folder && readJsonFile(folder, 'tokenizer.json'),
    folder && readJsonFile(folder, 'tokenizer_config.json'),
    folder && readJsonFile(folder, 'special_tokens_map.json'),
    folder && readJsonFile(folder, 'added_tokens.json'),
    template ?? (folder && readTemplate(folder)),
  ]);
  if (json === undefined) return { tokenizer: undefined, chatText: undefined };
  const tokenizer = Tokenizer.fromJson(json, config, { chatTemplate, specialTokensMap, addedTokens, ...ids });
  tokenizer.prepare();
  if (tokenizer.chatTemplate === undefined) return { tokenizer, chatText: undefined };
  const { chatText } = await import('../tokenizer/chat.js');
  return { tokenizer, chatText: (messages, wishes) => chatText(tokenizer, messages, wishes) };
}

import { parentPort, workerData } from 'node:worker_threads';
import { RidgepointError, type ErrorCode } from '../../errors.js';
import { renderChat, templateFor, type ChatTurn, type ChatWishes } from '../../tokenizer/chat.js';
import type { ChatTemplate } from '../../engine/host.js';

/** What is rendered, or why it is not. */
export type ChatAnswer = { readonly text: string } | { readonly code: ErrorCode | undefined; readonly message: string };

const { template, toolTemplate, ...tokens } = workerData as ChatTemplate;

parentPort!.on('message', (chat: string) => parentPort!.postMessage(answer(chat)));

/** @param chat messages and wishes as JSON, which is read faster here than objects are taken apart there */
function answer(chat: string): ChatAnswer {
  try {
    const [messages, wishes] = JSON.parse(chat) as [ChatTurn[], ChatWishes];
    return { text: renderChat(templateFor(wishes, template, toolTemplate), messages, { ...wishes, ...tokens }) };
  } catch (error) {
    const code = error instanceof RidgepointError ? error.code : undefined;
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

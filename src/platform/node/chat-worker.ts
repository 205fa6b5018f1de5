import { parentPort, workerData } from 'node:worker_threads';
import { RidgepointError, type ErrorCode } from '../../errors.js';
import { renderChat, type ChatTurn } from '../../tokenizer/chat.js';
import type { ChatTemplate } from '../../engine/host.js';

/** What is rendered, or why it is not. */
export type ChatAnswer = { readonly text: string } | { readonly code: ErrorCode | undefined; readonly message: string };

const { template, ...tokens } = workerData as ChatTemplate;

parentPort!.on('message', (messages: string) => parentPort!.postMessage(answer(messages)));

/** @param messages as JSON, which is read faster here than objects are taken apart there */
function answer(messages: string): ChatAnswer {
  try {
    return { text: renderChat(template, JSON.parse(messages) as ChatTurn[], tokens) };
  } catch (error) {
    const code = error instanceof RidgepointError ? error.code : undefined;
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

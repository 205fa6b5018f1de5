import { fieldsOf, readChat, titleOf, type Chat } from './chat.js';

const FORMAT = 'ridgepoint chats';
const VERSION = 1;
/** Bytes; browsers keep less. */
const LARGEST = 50e6;

/** Chats as a file that this page reads again, in any browser. */
export function chatsAsJson(chats: readonly Chat[]): string {
  const written = chats.map(({ id: _, ...chat }) => chat);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, chats: written }, null, 2)}\n`;
}

/** A chat for people to read. Its texts stand as they are: models write Markdown. */
export function chatAsMarkdown(chat: Chat): string {
  const parts = [`# ${titleOf(chat)}`];
  if (chat.system !== '') parts.push('## System prompt', chat.system);
  for (const { role, content, notes = [] } of chat.messages) {
    parts.push(role === 'user' ? '## You' : '## Model', content, ...notes.map((note) => `_${note}_`));
  }
  return `${parts.join('\n\n')}\n`;
}

/**
 * Reads chats out of a file: this page's, or a list of messages as APIs of chats have it.
 *
 * @throws Error in a sentence that names the file and says what is wrong
 */
export async function readChats(file: Pick<File, 'name' | 'size' | 'text'>): Promise<Chat[]> {
  try {
    if (file.size > LARGEST) throw new Error(`is larger than ${LARGEST / 1e6} MB, more than a browser keeps of chats`);
    return chatsOf(parsed(await file.text()));
  } catch (error) {
    throw new Error(`${file.name}: ${(error as Error).message}.`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is no JSON; choose a file that was exported as JSON');
  }
}

function chatsOf(value: unknown): Chat[] {
  if (Array.isArray(value)) return [ofMessages(value)];
  const fields = fieldsOf(value, 'the file');
  if (Array.isArray(fields.messages)) return [ofMessages(fields.messages)];
  const { format, version, chats } = fields;
  if (format !== FORMAT || !Array.isArray(chats)) {
    throw new Error('has no chats; choose a file that this page exported, or a list of messages');
  }
  if (version !== VERSION) {
    throw new Error(`is of version ${JSON.stringify(version)}, and this page reads ${VERSION}; load the page anew`);
  }
  return chats.map((each: unknown, at) => {
    try {
      return readChat(each, crypto.randomUUID());
    } catch (error) {
      throw new Error(`of chat ${at + 1}, ${(error as Error).message}`, { cause: error });
    }
  });
}

/** Of what is said to a model first, a chat keeps one text. */
function ofMessages(messages: readonly unknown[]): Chat {
  const system: string[] = [];
  const others = messages.filter((each) => {
    const { role, content } = (each ?? {}) as { role?: unknown; content?: unknown };
    if (role !== 'system' || typeof content !== 'string') return true;
    system.push(content);
    return false;
  });
  return readChat({ system: system.join('\n\n'), messages: others }, crypto.randomUUID());
}

/** Has the browser save a text as a file. */
export function saveAs(name: string, text: string, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A name of a file after that of a chat. */
export const fileName = (chat: Chat, ending: string): string =>
  `${
    titleOf(chat)
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'chat'
  }.${ending}`;

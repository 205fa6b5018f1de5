/** What a chat may set of sampling; what is absent is the model's own. */
export const SAMPLING = ['temperature', 'topP', 'topK', 'repetitionPenalty', 'maxTokens', 'seed'] as const;
export type Sampling = Partial<Record<(typeof SAMPLING)[number], number>>;

export interface Message {
  readonly role: 'user' | 'assistant';
  content: string;
  /** What a reply took, and what was expected of it. */
  notes?: string[];
}

/** A chat as it is kept: what was said, and what it is generated with. */
export interface Chat {
  readonly id: string;
  /** What its owner calls it; empty where it goes by its first words. */
  title: string;
  /** ISO date and time of the last change. */
  changed: string;
  system: string;
  /** Whether its texts are one text that the model goes on with, although it could answer in turns. */
  continues: boolean;
  sampling: Sampling;
  messages: Message[];
}

const MOST_TOKENS = 200;
const TITLE = 40;

export const emptyChat = (): Chat => ({
  ...{ id: crypto.randomUUID(), title: '', changed: new Date().toISOString(), system: '', continues: false },
  ...{ sampling: { maxTokens: MOST_TOKENS }, messages: [] },
});

/** What a chat is called in a list. */
export function titleOf({ title, messages }: Pick<Chat, 'title' | 'messages'>): string {
  if (title !== '') return title;
  const first = (messages[0]?.content ?? '').trim().replace(/\s+/g, ' ');
  if (first === '') return 'New chat';
  return first.length <= TITLE ? first : `${first.slice(0, TITLE - 1).trimEnd()}…`;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws Error where it is none, with what it should be */
export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${what} is no object`);
}

function readMessage(value: unknown, at: number): Message {
  const { role, content, notes } = fieldsOf(value, `message ${at + 1}`);
  if (role !== 'user' && role !== 'assistant') {
    throw new Error(`message ${at + 1} has the role ${JSON.stringify(role)}; "user" and "assistant" are known`);
  }
  if (typeof content !== 'string') throw new Error(`message ${at + 1} has no text as its "content"`);
  const told = Array.isArray(notes) ? notes.filter((note) => typeof note === 'string') : [];
  return { role, content, ...(told.length > 0 ? { notes: told } : {}) };
}

/**
 * Reads a chat that was written by this page, or by somebody who writes like it.
 *
 * @throws Error in words, of what is wrong with which part
 */
export function readChat(value: unknown, id: string): Chat {
  const { title, changed, system, continues, sampling, messages } = fieldsOf(value, 'a chat');
  if (!Array.isArray(messages)) throw new Error('a chat has no list of "messages"');
  const given = sampling === undefined ? {} : fieldsOf(sampling, '"sampling"');
  const text = (field: unknown): string => (typeof field === 'string' ? field : '');
  const isDate = typeof changed === 'string' && !Number.isNaN(Date.parse(changed));
  return {
    ...{ id, title: text(title), system: text(system), continues: continues === true },
    changed: isDate ? changed : new Date().toISOString(),
    sampling: Object.fromEntries(
      SAMPLING.flatMap((name) => (Number.isFinite(given[name]) ? [[name, given[name] as number]] : [])),
    ),
    messages: messages.map(readMessage),
  };
}

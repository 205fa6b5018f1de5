import { describe, expect, it } from 'vitest';
import { chatAsMarkdown, chatsAsJson, fileName, readChats } from '../../src/web/chats/chat-file.js';
import { emptyChat, titleOf, type Chat } from '../../src/web/chats/chat.js';
import { ChatStore, type Kept } from '../../src/web/chats/store.js';

/** A browser's storage of as many characters. */
class Shelf implements Kept {
  readonly #values = new Map<string, string>();
  readonly #most: number;

  constructor(most = Infinity) {
    this.#most = most;
  }

  get length(): number {
    return this.#values.size;
  }
  key = (at: number): string | null => [...this.#values.keys()].at(at) ?? null;
  getItem = (key: string): string | null => this.#values.get(key) ?? null;
  removeItem = (key: string): void => void this.#values.delete(key);
  setItem(key: string, value: string): void {
    const others = [...this.#values].filter(([each]) => each !== key);
    const taken = others.reduce((sum, [each, text]) => sum + each.length + text.length, 0);
    if (taken + key.length + value.length > this.#most) throw new DOMException('no room', 'QuotaExceededError');
    this.#values.set(key, value);
  }
}

const chatOf = (fields: Partial<Chat>): Chat => ({ ...emptyChat(), ...fields });
const said = (content: string, reply = ' there was'): Chat =>
  chatOf({
    messages: [
      { role: 'user', content },
      { role: 'assistant', content: reply, notes: ['first token after 20 ms'] },
    ],
  });
const file = (name: string, text: string, size = text.length) => ({ name, size, text: () => Promise.resolve(text) });

describe('chats that are kept', () => {
  it('are there again, the latest first, each with what it is generated with', () => {
    const shelf = new Shelf();
    const store = new ChatStore(() => shelf);
    const old = { ...said('Once'), changed: '2026-01-01T00:00:00.000Z', system: 'Be brief.', sampling: { topP: 0.5 } };
    const young = { ...said('Twice'), changed: '2026-01-02T00:00:00.000Z', continues: true, title: 'a name' };
    store.save(old);
    store.save(young);
    shelf.setItem('somebody else’s', '{}');
    const again = new ChatStore(() => shelf);
    expect(again.list()).toEqual([young, old]);
    again.delete(young.id);
    expect(new ChatStore(() => shelf).list()).toEqual([old]);
  });

  it('of another version stay where they are, and do not get in the way', () => {
    const shelf = new Shelf();
    const store = new ChatStore(() => shelf);
    store.save(said('Once'));
    const text = '{"messages":[{"role":"tool","content":1}]}';
    shelf.setItem('ridgepoint chat x', text);
    shelf.setItem('ridgepoint chat y', 'no JSON');
    expect(new ChatStore(() => shelf).list()).toHaveLength(1);
    expect(shelf.getItem('ridgepoint chat x')).toBe(text);
  });

  it('follow what another tab writes', () => {
    const shelf = new Shelf();
    const [one, other] = [new ChatStore(() => shelf), new ChatStore(() => shelf)];
    const chat = said('Once');
    one.save(chat);
    const key = shelf.key(0);
    expect(other.refresh(key)).toBe(chat.id);
    expect(other.list()).toEqual([chat]);
    one.delete(chat.id);
    other.refresh(key);
    expect(other.list()).toEqual([]);
    expect(other.refresh('ridgepoint calibration')).toBeUndefined();
    expect(other.refresh(null)).toBeUndefined();
  });

  it('without room, or without leave, are said to be, and live on', () => {
    const full = new ChatStore(() => new Shelf(100));
    const chat = said('Once upon a time');
    expect(() => full.save(chat)).toThrow(
      '“Once upon a time” is kept until the page is left only: the browser’s space for this site’s chats is full; export or delete some.',
    );
    expect(full.list()).toEqual([chat]);
    const forbidden = new ChatStore(() => {
      throw new DOMException('no', 'SecurityError');
    });
    expect(() => forbidden.save(chat)).toThrow(/the browser forbids this site to keep anything; export it\.$/);
    forbidden.delete(chat.id);
    expect(forbidden.list()).toEqual([]);
  });

  it('leave out a reply that failed before its first word', () => {
    const shelf = new Shelf();
    new ChatStore(() => shelf).save(said('Once', ''));
    expect(new ChatStore(() => shelf).list()[0].messages).toEqual([{ role: 'user', content: 'Once' }]);
  });
});

describe('a chat’s name', () => {
  it('is its owner’s, else its first words', () => {
    expect(titleOf(emptyChat())).toBe('New chat');
    expect(titleOf(said('  two\n words '))).toBe('two words');
    expect(titleOf(said('x'.repeat(90)))).toBe(`${'x'.repeat(39)}…`);
    expect(titleOf({ ...said('Once'), title: 'mine' })).toBe('mine');
    expect(fileName({ ...said('Once'), title: '../ ä: b?' }, 'md')).toBe('ä-b.md');
    expect(fileName({ ...said('Once'), title: '???' }, 'md')).toBe('chat.md');
  });
});

describe('a file of chats', () => {
  it('is read as it was written, under names of its own', async () => {
    const chats = [said('Once'), { ...said('Twice'), title: 'two', system: 'Be brief.', continues: true }];
    const read = await readChats(file('chats.json', chatsAsJson(chats)));
    expect(read.map(({ id: _, ...chat }) => chat)).toEqual(chats.map(({ id: _, ...chat }) => chat));
    expect(new Set([...read, ...chats].map(({ id }) => id)).size).toBe(4);
  });

  it('may be messages as APIs have them', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ];
    for (const value of [messages, { model: 'x', messages }]) {
      const [{ system, messages: read }] = await readChats(file('a.json', JSON.stringify(value)));
      expect([system, read]).toEqual(['Be brief.', [{ role: 'user', content: 'Hello' }]]);
    }
  });

  it('as Markdown is for people', () => {
    const chat = { ...said('Once'), title: 'A tale', system: 'Be brief.' };
    expect(chatAsMarkdown(chat)).toBe(
      '# A tale\n\n## System prompt\n\nBe brief.\n\n## You\n\nOnce\n\n## Model\n\n there was\n\n_first token after 20 ms_\n',
    );
  });

  it.each([
    ['no JSON', '<html>', 'a.json: is no JSON; choose a file that was exported as JSON.'],
    ['a number', '3', 'a.json: the file is no object.'],
    ['other JSON', '{}', /^a\.json: has no chats; choose a file that this page exported, or a list of messages\.$/],
    [
      'another version',
      '{"format":"ridgepoint chats","version":2,"chats":[]}',
      'a.json: is of version 2, and this page reads 1; load the page anew.',
    ],
    [
      'a chat without messages',
      '{"format":"ridgepoint chats","version":1,"chats":[{"title":"x"}]}',
      'a.json: of chat 1, a chat has no list of "messages".',
    ],
    [
      'a role that nobody has',
      '[{"role":"tool","content":""}]',
      'a.json: message 1 has the role "tool"; "user" and "assistant" are known.',
    ],
    ['no text', '[{"role":"user","content":[]}]', 'a.json: message 1 has no text as its "content".'],
    ['nothing in a list', '[null]', 'a.json: message 1 is no object.'],
  ])('that has %s is refused in a sentence', async (_, text, message) => {
    await expect(readChats(file('a.json', text))).rejects.toThrow(message);
  });

  it('that is too large is not read', async () => {
    const large = { ...file('a.json', '', 2e8), text: () => Promise.reject(new Error('read')) };
    await expect(readChats(large)).rejects.toThrow('a.json: is larger than 50 MB, more than a browser keeps of chats.');
  });
});

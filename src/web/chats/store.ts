import { readChat, titleOf, type Chat } from './chat.js';

const KEPT = 'ridgepoint chat ';

/** What chats are kept in: the browser's own storage of this site, a value a chat, so that tabs leave each other's be. */
export type Kept = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

/** The chats of this browser. Where nothing can be kept they live until the page is left. */
export class ChatStore {
  readonly #open: () => Kept;
  readonly #chats = new Map<string, Chat>();

  /** @param open gives the storage; may throw, as browsers do that forbid it */
  constructor(open: () => Kept) {
    this.#open = open;
    try {
      const kept = open();
      for (let at = 0; at < kept.length; at++) this.refresh(kept.key(at));
    } catch {
      // Forbidden: `save` will say so.
    }
  }

  /** All chats, those that were changed last first. */
  list(): Chat[] {
    return [...this.#chats.values()].sort((a, b) => b.changed.localeCompare(a.changed));
  }

  get(id: string): Chat | undefined {
    return this.#chats.get(id);
  }

  /**
   * Reads again what another tab may have written.
   *
   * @returns the chat's id; undefined for what is none
   */
  refresh(key: string | null): string | undefined {
    if (!key?.startsWith(KEPT)) return undefined;
    const id = key.slice(KEPT.length);
    const text = this.#open().getItem(key);
    if (text === null) this.#chats.delete(id);
    else {
      try {
        this.#chats.set(id, readChat(JSON.parse(text), id));
      } catch {
        // Not this page's, or a later version's: it stays where it is.
      }
    }
    return id;
  }

  /** @throws Error in words where it cannot be kept; it then lives until the page is left */
  save(chat: Chat): void {
    this.#chats.set(chat.id, chat);
    const { id, ...others } = chat;
    // A reply that failed before its first word was not said.
    const messages = chat.messages.filter(({ content }) => content !== '');
    try {
      this.#open().setItem(KEPT + id, JSON.stringify({ ...others, messages }));
    } catch (cause) {
      const isFull = (cause as DOMException).name === 'QuotaExceededError';
      const why = isFull
        ? 'the browser’s space for this site’s chats is full; export or delete some'
        : 'the browser forbids this site to keep anything; export it';
      throw new Error(`“${titleOf(chat)}” is kept until the page is left only: ${why}.`, { cause });
    }
  }

  delete(id: string): void {
    this.#chats.delete(id);
    try {
      this.#open().removeItem(KEPT + id);
    } catch {
      // Forbidden, so it was not kept either.
    }
  }
}

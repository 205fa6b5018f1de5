import type { Engine } from '../../platform/browser/index.js';
import { parts } from '../page.js';
import { emptyChat, SAMPLING, titleOf, type Chat, type Sampling } from './chat.js';
import { ChatStore } from './store.js';

/** Which chat is open, in this tab. */
const OPEN = 'ridgepoint open chat';

const say = (text: string): void => void (parts.chatStatus.textContent = text);

/** The list of chats: one is open, and what it is generated with stands beside it. */
export class ChatPanel {
  readonly #store = new ChatStore(() => localStorage);
  readonly #opened: (chat: Chat) => void;
  readonly #inputs: readonly (readonly [keyof Sampling, HTMLInputElement])[];
  #chat: Chat;
  #hasTemplate = true;
  #busy = false;

  /** @param opened told of the chat that is to be shown */
  constructor(opened: (chat: Chat) => void) {
    this.#opened = opened;
    this.#inputs = SAMPLING.map((name) => [name, parts[name]] as const);
    this.#chat = this.#store.get(remembered()) ?? this.#latest();
    this.#listen();
    this.#show();
  }

  get chat(): Chat {
    return this.#chat;
  }

  /** Whether the model goes on with the chat's texts as one, rather than answering. */
  get continues(): boolean {
    return this.#chat.continues || !this.#hasTemplate;
  }

  /** What the model can do decides what can be chosen, and what it does by itself stands where nothing is chosen. */
  suit(engine: Engine): void {
    this.#hasTemplate = engine.hasChatTemplate;
    for (const [name, input] of this.#inputs) {
      const usual = name === 'seed' ? undefined : engine.defaults[name];
      input.placeholder = usual === undefined ? '' : String(usual);
    }
    this.#showOptions();
  }

  /** Keeps what was said; what cannot be kept is said. */
  keep(): void {
    this.#chat.changed = new Date().toISOString();
    this.#save(this.#chat);
    this.#showList();
  }

  /** While a reply is written, its chat stays open. */
  set busy(busy: boolean) {
    this.#busy = busy;
    for (const each of [parts.chats, parts.newChat, parts.rename, parts.deleteChat, parts.importChats]) {
      each.disabled = busy;
    }
  }

  #save(chat: Chat): void {
    try {
      this.#store.save(chat);
      say('');
    } catch (error) {
      say((error as Error).message);
    }
  }

  #latest(): Chat {
    return this.#store.list().at(0) ?? emptyChat();
  }

  #choose(chat: Chat): void {
    this.#chat = chat;
    remember(chat.id);
    this.#rename(false);
    this.#show();
  }

  #show(): void {
    this.#showList();
    this.#showOptions();
    this.#opened(this.#chat);
  }

  #showList(): void {
    const kept = this.#store.list();
    // One in which nothing was said yet is not kept.
    const all = kept.some(({ id }) => id === this.#chat.id) ? kept : [this.#chat, ...kept];
    parts.chats.replaceChildren(...all.map((chat) => new Option(titleOf(chat), chat.id)));
    parts.chats.value = this.#chat.id;
  }

  #showOptions(): void {
    const { system, sampling } = this.#chat;
    parts.system.value = system;
    for (const [name, input] of this.#inputs) input.value = String(sampling[name] ?? '');
    parts.continues.checked = this.continues;
    parts.continues.disabled = !this.#hasTemplate;
    parts.system.disabled = this.continues;
    parts.promptLabel.textContent = this.continues ? 'Begin a text, which it goes on with' : 'Say something';
  }

  /** Has the name stand in a field, or not. */
  #rename(begin: boolean): void {
    parts.renameForm.hidden = !begin;
    if (begin) {
      parts.title.value = titleOf(this.#chat);
      parts.title.select();
    }
  }

  #listen(): void {
    parts.chats.addEventListener('change', () => this.#choose(this.#store.get(parts.chats.value) ?? this.#chat));
    parts.newChat.addEventListener('click', () => {
      this.#choose(emptyChat());
      parts.prompt.focus();
    });
    parts.rename.addEventListener('click', () => this.#rename(true));
    parts.renameForm.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#chat.title = parts.title.value.trim();
      this.keep();
      this.#rename(false);
      parts.rename.focus();
    });
    parts.renameForm.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      this.#rename(false);
      parts.rename.focus();
    });
    parts.deleteChat.addEventListener('click', () => {
      if (!confirm(`Delete “${titleOf(this.#chat)}”? It is kept nowhere else.`)) return;
      this.#store.delete(this.#chat.id);
      this.#choose(this.#latest());
    });
    parts.chatOptions.addEventListener('change', () => {
      this.#chat.system = parts.system.value.trim();
      if (this.#hasTemplate) this.#chat.continues = parts.continues.checked;
      this.#chat.sampling = Object.fromEntries(
        this.#inputs.flatMap(([name, { value }]) => (value === '' ? [] : [[name, Number(value)]])),
      );
      this.keep();
      this.#showOptions();
    });
    parts.exportJson.addEventListener('click', () => void this.#export('json'));
    parts.exportMarkdown.addEventListener('click', () => void this.#export('md'));
    parts.exportAll.addEventListener('click', () => void this.#export('all'));
    parts.importChats.addEventListener('click', () => parts.chatFiles.click());
    parts.chatFiles.addEventListener('change', () => void this.#import([...(parts.chatFiles.files ?? [])]));
    // Other tabs of the site write, too. What is being read or written here is not taken from under anybody's hands.
    addEventListener('storage', ({ key }) => {
      const id = this.#store.refresh(key);
      const other = id === undefined ? undefined : this.#store.get(id);
      if (id === this.#chat.id && other !== undefined && !this.#busy) this.#choose(other);
      else this.#showList();
    });
  }

  async #export(what: 'json' | 'md' | 'all'): Promise<void> {
    const { chatsAsJson, chatAsMarkdown, fileName, saveAs } = await import('./chat-file.js');
    if (what === 'md') saveAs(fileName(this.#chat, 'md'), chatAsMarkdown(this.#chat), 'text/markdown');
    else if (what === 'json') saveAs(fileName(this.#chat, 'json'), chatsAsJson([this.#chat]), 'application/json');
    else saveAs('chats.json', chatsAsJson(this.#store.list()), 'application/json');
  }

  async #import(files: readonly File[]): Promise<void> {
    const { readChats } = await import('./chat-file.js');
    const wrong: string[] = [];
    let last: Chat | undefined;
    let count = 0;
    for (const file of files) {
      try {
        for (const chat of await readChats(file)) {
          last = chat;
          count++;
          this.#store.save(chat);
        }
      } catch (error) {
        wrong.push((error as Error).message);
      }
    }
    // The same file may be chosen again.
    parts.chatFiles.value = '';
    if (last !== undefined) this.#choose(last);
    const added = count === 1 ? '1 chat was added.' : `${count} chats were added.`;
    say([...(count > 0 ? [added] : []), ...wrong].join(' '));
  }
}

function remembered(): string {
  try {
    return sessionStorage.getItem(OPEN) ?? '';
  } catch {
    return '';
  }
}

function remember(id: string): void {
  try {
    sessionStorage.setItem(OPEN, id);
  } catch {
    // Forbidden: after a reload the latest is opened.
  }
}

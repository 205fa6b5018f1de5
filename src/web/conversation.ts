import type { BrowserGenerateOptions, ChatMessage, Engine, GenerationResult } from '../platform/browser/index.js';
import { keptCalibration } from './calibrations.js';
import { Announcer } from './announcer.js';
import { emptyChat, type Chat, type Message } from './chats/chat.js';
import { element, parts } from './page.js';

/** A message on the page. */
interface Turn {
  readonly message: Message;
  readonly item: HTMLElement;
}

/** The chat that is open, on the page. */
export class Conversation {
  readonly #announcer = new Announcer(parts.announcer);
  readonly #edit: (text: string) => void;
  readonly #changed: () => void;
  #chat: Chat = emptyChat();
  #turns: Turn[] = [];
  /** The turn that is being said another way. */
  #edited: Turn | undefined;

  /**
   * @param edit told of a text that its writer wants to change
   * @param changed told when something was said that is to be kept
   */
  constructor(edit: (text: string) => void, changed: () => void) {
    this.#edit = edit;
    this.#changed = changed;
  }

  /** Shows a chat in place of the one that is open. */
  open(chat: Chat): void {
    this.keepEdited();
    this.#chat = chat;
    this.#turns = chat.messages.map((message) => this.#shown(message));
    parts.turns.replaceChildren(...this.#turns.map(({ item }) => item));
  }

  get isEdited(): boolean {
    return this.#edited !== undefined;
  }

  /** Leaves the turn that was to be changed as it is. */
  keepEdited(): void {
    this.#edited?.item.classList.remove('edited');
    this.#edited = undefined;
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  /**
   * Says something; in place of the turn that is being edited and of all after it, where one is. Nothing said is to have
   * the model go on.
   *
   * @returns whether it was the model's own words that were changed
   */
  ask(text: string): boolean {
    const edited = this.#edited;
    if (edited !== undefined) {
      this.keepEdited();
      this.#cut(this.#turns.indexOf(edited));
    }
    const role = edited?.message.role ?? 'user';
    if (text !== '') this.#add({ role, content: text });
    this.#changed();
    return role === 'assistant';
  }

  /** Takes the last reply away, so that there can be another. */
  dropReply(): void {
    this.keepEdited();
    if (this.#turns.at(-1)?.message.role === 'assistant') this.#cut(this.#turns.length - 1);
  }

  /**
   * Has the model answer what was said last. What goes wrong is shown in the turn.
   *
   * @param continues whether it goes on with all that was said, as one text
   */
  async reply(engine: Engine, continues: boolean, options: BrowserGenerateOptions): Promise<void> {
    const prompt = continues
      ? this.#chat.messages.map(({ content }) => content).join('')
      : await engine.chatPrompt(this.#said());
    const message: Message = { role: 'assistant', content: '' };
    const { item } = this.#add(message);
    const shown = item.querySelector('.text')!;
    const note = (kind: string, text: string): void => {
      (message.notes ??= []).push(text);
      item.append(element('p', kind, text));
    };
    const generation = engine.generate(prompt, options);
    try {
      for await (const { text } of generation) {
        message.content += text;
        shown.append(text);
        this.#announcer.push(text);
      }
      const result = await generation.result;
      note('figures', figures(result));
      const known = keptCalibration(engine.info);
      if (known !== undefined) {
        const { besideExpected } = await import('./expectation.js');
        const beside = besideExpected(engine, known, result);
        if (beside !== undefined) note('expected', beside);
      }
    } catch (error) {
      item.append(element('p', 'wrong', (error as Error).message));
    } finally {
      this.#announcer.end();
      this.#changed();
    }
  }

  #said(): ChatMessage[] {
    const { system, messages } = this.#chat;
    const said = messages.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content }));
    return system === '' ? said : [{ role: 'system', content: system }, ...said];
  }

  #add(message: Message): Turn {
    const turn = this.#shown(message);
    this.#chat.messages.push(message);
    this.#turns.push(turn);
    parts.turns.append(turn.item);
    return turn;
  }

  /** Takes back all turns from one on. */
  #cut(from: number): void {
    this.#chat.messages.splice(from);
    for (const { item } of this.#turns.splice(from)) item.remove();
  }

  #shown(message: Message): Turn {
    const { role, content, notes = [] } = message;
    const item = element('li', `turn ${role}`);
    const turn: Turn = { message, item };
    item.append(element('h2', '', role === 'user' ? 'You' : 'Model'), element('p', 'text', content));
    item.append(this.#editButton(turn), ...notes.map((note) => element('p', 'figures', note)));
    return turn;
  }

  #editButton(turn: Turn): HTMLElement {
    const button = element('button', 'edit', 'Edit');
    button.addEventListener('click', () => {
      this.keepEdited();
      this.#edited = turn;
      turn.item.classList.add('edited');
      this.#edit(turn.message.content);
    });
    return button;
  }
}

const ENDS: Record<GenerationResult['finishReason'], string> = {
  eos: 'it came to its end',
  stop: 'it came to a stop text',
  length: 'as many tokens as it may',
  context: 'the context is full',
  abort: 'stopped',
};

/** TTFT and TPOT as the engine measured them. */
function figures({ ttftMs, tpotMs, ids, finishReason }: GenerationResult): string {
  const each = tpotMs === undefined ? '' : `, ${tpotMs.toFixed(1)} ms a token (${(1000 / tpotMs).toFixed(1)} tokens/s)`;
  return `first token after ${ttftMs.toFixed(0)} ms${each}, ${ids.length} tokens; ${ENDS[finishReason]}`;
}

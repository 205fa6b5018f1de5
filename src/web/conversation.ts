import type { BrowserGenerateOptions, ChatMessage, Engine, GenerationResult } from '../platform/browser/index.js';
import { keptCalibration } from './calibrations.js';
import { Announcer } from './announcer.js';
import { element, parts } from './page.js';

interface Turn {
  readonly role: 'user' | 'assistant';
  text: string;
  readonly item: HTMLElement;
}

const KEPT = 'ridgepoint conversation';

/** What was said, on the page and in this browser's storage. */
export class Conversation {
  readonly #turns: Turn[] = [];
  readonly #announcer = new Announcer(parts.announcer);
  readonly #edit: (text: string) => void;
  /** The turn that is being said another way. */
  #edited: Turn | undefined;

  /** @param edit told of a text that its writer wants to change */
  constructor(edit: (text: string) => void) {
    this.#edit = edit;
    for (const { role, text } of kept()) this.#add(role, text);
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

  /** Says something; in place of the turn that is being edited and of all after it, where one is. */
  ask(text: string): void {
    if (this.#edited !== undefined) {
      const from = this.#turns.indexOf(this.#edited);
      for (const { item } of this.#turns.splice(from)) item.remove();
      this.#edited = undefined;
    }
    this.#add('user', text);
    this.#keep();
  }

  /** Takes the last reply away, so that there can be another. */
  dropReply(): void {
    if (this.#turns.at(-1)?.role === 'assistant') this.#turns.pop()!.item.remove();
  }

  clear(): void {
    this.keepEdited();
    for (const { item } of this.#turns.splice(0)) item.remove();
    this.#keep();
  }

  /** As JSON of messages. */
  exported(): string {
    return JSON.stringify(
      this.#turns.map(({ role, text }) => ({ role, content: text })),
      null,
      2,
    );
  }

  /** Has the model answer, or go on with, what was said last. What goes wrong is shown in the turn. */
  async reply(engine: Engine, options: BrowserGenerateOptions): Promise<void> {
    const prompt = engine.hasChatTemplate
      ? await engine.chatPrompt(this.#messages())
      : this.#turns.map(({ text }) => text).join('');
    const turn = this.#add('assistant', '');
    const shown = turn.item.querySelector('.text')!;
    const generation = engine.generate(prompt, options);
    try {
      for await (const { text } of generation) {
        turn.text += text;
        shown.append(text);
        this.#announcer.push(text);
      }
      const result = await generation.result;
      turn.item.append(element('p', 'figures', figures(result)));
      const known = keptCalibration(engine.info);
      if (known !== undefined) {
        const { besideExpected } = await import('./expectation.js');
        const beside = besideExpected(engine, known, result);
        if (beside !== undefined) turn.item.append(element('p', 'expected', beside));
      }
    } catch (error) {
      turn.item.append(element('p', 'wrong', (error as Error).message));
    } finally {
      this.#announcer.end();
      this.#keep();
    }
  }

  #messages(): ChatMessage[] {
    const system = parts.system.value.trim();
    const said = this.#turns.map(({ role, text }): ChatMessage => ({ role, content: text }));
    return system === '' ? said : [{ role: 'system', content: system }, ...said];
  }

  #add(role: Turn['role'], text: string): Turn {
    const item = element('li', `turn ${role}`);
    item.append(element('h2', '', role === 'user' ? 'You' : 'Model'), element('p', 'text', text));
    parts.turns.append(item);
    const turn: Turn = { role, text, item };
    if (role === 'user') item.append(this.#editButton(turn));
    this.#turns.push(turn);
    return turn;
  }

  #editButton(turn: Turn): HTMLElement {
    const button = element('button', 'edit', 'Edit');
    button.addEventListener('click', () => {
      this.keepEdited();
      this.#edited = turn;
      turn.item.classList.add('edited');
      this.#edit(turn.text);
    });
    return button;
  }

  #keep(): void {
    try {
      localStorage.setItem(KEPT, this.exported());
    } catch {
      // Full or forbidden: the page goes on without.
    }
  }
}

function kept(): { role: Turn['role']; text: string }[] {
  try {
    const turns = JSON.parse(localStorage.getItem(KEPT) ?? '[]') as { role: Turn['role']; content: string }[];
    return turns.map(({ role, content }) => ({ role, text: content }));
  } catch {
    return [];
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

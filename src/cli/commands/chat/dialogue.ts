import type { ChatMessage, GenerationResult, Prompt, TextEngine } from '../../../engine/api.js';

/** What was said so far, and how the next line becomes a prompt that fits the context. */
export interface Dialogue {
  /** The prompt for a new line, and how many of the oldest turns had to be left out of it. */
  ask(line: string): { prompt: Prompt; dropped: number };
  /** Keeps the turn that was asked for last, with its reply; without this it is forgotten. */
  keep(reply: Pick<GenerationResult, 'text' | 'finishReason'>): void;
  reset(): void;
}

interface Turn {
  readonly line: string;
  readonly reply: string;
}

/** At most this part of the context is kept free for the reply when older turns could go instead. */
const REPLY_SHARE = 1 / 4;

/** Shared by both kinds: turns, the oldest of which go when they no longer fit. */
abstract class Turns implements Dialogue {
  #kept: Turn[] = [];
  #asked: { line: string; before: Turn[] } | undefined;
  readonly #maxTokens: number | undefined;

  constructor(
    protected readonly engine: TextEngine,
    maxTokens: number | undefined,
  ) {
    this.#maxTokens = maxTokens;
  }

  /** The ids of a prompt made of earlier turns and a new line. */
  protected abstract encode(before: readonly Turn[], line: string): readonly number[];

  ask(line: string): { prompt: Prompt; dropped: number } {
    const { contextLength } = this.engine.info;
    const reserve = Math.min(this.#maxTokens ?? contextLength, Math.floor(contextLength * REPLY_SHARE));
    const before = [...this.#kept];
    let prompt = this.encode(before, line);
    while (before.length > 0 && prompt.length + reserve > contextLength) {
      before.shift();
      prompt = this.encode(before, line);
    }
    this.#asked = { line, before };
    return { prompt, dropped: this.#kept.length - before.length };
  }

  keep({ text }: Pick<GenerationResult, 'text' | 'finishReason'>): void {
    if (this.#asked === undefined) return;
    const { line, before } = this.#asked;
    this.#kept = [...before, { line, reply: text }];
    this.#asked = undefined;
  }

  reset(): void {
    this.#kept = [];
    this.#asked = undefined;
  }
}

/** A conversation in the words of the model's chat template. The system message stays whatever else goes. */
export class TemplateDialogue extends Turns {
  readonly #system: string | undefined;

  constructor(engine: TextEngine, system: string | undefined, maxTokens: number | undefined) {
    super(engine, maxTokens);
    this.#system = system;
  }

  protected encode(before: readonly Turn[], line: string): readonly number[] {
    const messages: ChatMessage[] = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    for (const turn of before) {
      messages.push({ role: 'user', content: turn.line }, { role: 'assistant', content: turn.reply });
    }
    return this.engine.chatPrompt([...messages, { role: 'user', content: line }]);
  }
}

/** One text that the model and the user write in turns. A text that the model has ended is not taken up again. */
export class PlainDialogue extends Turns {
  protected encode(before: readonly Turn[], line: string): readonly number[] {
    return this.engine.tokenize([...before.map((turn) => turn.line + turn.reply), line].join('\n'));
  }

  override keep(reply: Pick<GenerationResult, 'text' | 'finishReason'>): void {
    if (reply.finishReason === 'eos') this.reset();
    else super.keep(reply);
  }
}

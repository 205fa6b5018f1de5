import type { GenerateOptions, GenerationResult, ModelFacts, TextEngine } from '../../../engine/api.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { ChatFlags } from './command.js';
import { PlainDialogue, TemplateDialogue, type Dialogue } from './dialogue.js';
import { LineReader } from '../../terminal/lines.js';
import { loadEngine } from '../../load.js';
import { checkOptions, engineOptions, generateOptions } from '../../options/common.js';
import { endable, EXIT, onInterrupt, outputClosed, report, stopSignal } from '../../run.js';
import { dim, remark } from '../../terminal/style.js';
import { checkTemplate, readTemplate } from '../../template.js';
import { print, tell } from '../../terminal/output.js';

const HELP = `/reset  forget the conversation
/help   show this
/exit   leave; so does Ctrl-D
Ctrl-C stops a reply. A message that begins with a slash is sent when it begins with two.`;

/**
 * Talks with a model: a line in, a reply out.
 *
 * @returns the exit code
 * @throws RidgepointError when the model cannot chat
 */
export async function chat(flags: ChatFlags): Promise<number> {
  const options = generateOptions(flags);
  checkOptions(options);
  if (flags.plain && flags.system !== undefined) {
    throw new RidgepointError(
      'usage',
      words`${option('chat.system')} needs a chat template; leave out ${option('chat.plain')}, or say it in the first line`,
    );
  }
  if (flags.plain && flags.chatTemplate !== undefined) {
    throw new RidgepointError(
      'usage',
      words`${option('chatTemplate')} and ${option('chat.plain')} contradict each other; leave one out`,
    );
  }
  const chatTemplate = await readTemplate(flags.chatTemplate);
  const engine = await loadEngine(
    { ...engineOptions(flags), chatTemplate, onModel: (model) => refuseModel(model, flags.plain ?? false) },
    !flags.quiet,
  );
  if (chatTemplate !== undefined && engine.hasChatTemplate) checkTemplate(engine);
  const dialogue = dialogueFor(engine, flags);
  const terminal = process.stdin.isTTY ? [process.stderr, process.stdout].find(({ isTTY }) => isTTY) : undefined;
  if (terminal !== undefined && !flags.quiet) {
    const { model, adapter } = engine.info;
    remark(`${model} on ${adapter}. Type /help for help, Ctrl-D to leave.`);
  }
  return new Chat(engine, dialogue, options, terminal, flags.quiet ? () => undefined : remark).run();
}

function dialogueFor(engine: TextEngine, { plain, system, maxTokens }: ChatFlags): Dialogue {
  return plain ? new PlainDialogue(engine, maxTokens) : new TemplateDialogue(engine, system, maxTokens);
}

/** A model that cannot chat is refused before its weights are fetched. */
function refuseModel({ model, hasTokenizer, hasChatTemplate, whyNoText }: ModelFacts, plain: boolean): void {
  if (whyNoText !== undefined) throw new RidgepointError('usage', whyNoText);
  if (!hasTokenizer) {
    throw new RidgepointError(
      'usage',
      words`${model} has no tokenizer.json, so it cannot chat; use generate ${option('generate.promptIds')}`,
    );
  }
  if (plain || hasChatTemplate) return;
  throw new RidgepointError(
    'usage',
    words`${model} has no chat template; add ${option('chat.plain')} to have each line continued as text, or choose a chat model with ${option('model')}`,
  );
}

class Chat {
  readonly #lines: LineReader;
  #reply: AbortController | undefined;
  /** Ctrl-C was pressed since the last line; the next one at the prompt leaves. */
  #warned = false;
  #interrupted = false;
  #failed = false;
  readonly #engine: TextEngine;
  readonly #dialogue: Dialogue;
  readonly #options: GenerateOptions;
  readonly #terminal: NodeJS.WriteStream | undefined;
  readonly #tell: (text: string) => void;

  constructor(
    engine: TextEngine,
    dialogue: Dialogue,
    options: GenerateOptions,
    terminal: NodeJS.WriteStream | undefined,
    tell: (text: string) => void,
  ) {
    this.#engine = engine;
    this.#dialogue = dialogue;
    this.#options = options;
    this.#terminal = terminal;
    this.#tell = tell;
    const interrupted = () => this.#interrupt();
    this.#lines = new LineReader(terminal, interrupted);
    if (terminal !== undefined) onInterrupt(interrupted);
    const stopped = (): void => {
      this.#reply?.abort();
      this.#lines.close();
    };
    if (stopSignal.aborted) stopped();
    else stopSignal.addEventListener('abort', stopped);
  }

  async run(): Promise<number> {
    for (;;) {
      const line = await this.#lines.next();
      if (line === undefined || stopSignal.aborted) break;
      this.#warned = false;
      if (line.trim() === '') continue;
      if (!line.startsWith('/')) await this.#answer(line);
      else if (line.startsWith('//')) await this.#answer(line.slice(1));
      else if (this.#command(line.trim()) === 'leave') break;
    }
    onInterrupt(undefined);
    this.#lines.close();
    if (this.#interrupted) return EXIT.interrupted;
    return this.#failed && this.#terminal === undefined ? EXIT.failure : EXIT.ok;
  }

  #command(line: string): 'leave' | 'stay' {
    if (line === '/exit' || line === '/quit') return 'leave';
    if (line === '/help') tell(`${HELP}\n`);
    else if (line === '/reset') {
      this.#dialogue.reset();
      this.#tell('(the conversation is forgotten)');
    } else this.#tell(`(there is no command ${line.split(/\s/, 1)[0]}; /help lists them)`);
    return 'stay';
  }

  /** Prints the reply to a line. A message that cannot be sent is reported, and the conversation goes on. */
  async #answer(line: string): Promise<void> {
    this.#reply = new AbortController();
    try {
      const { prompt, dropped } = endable(() => this.#dialogue.ask(line));
      const generation = this.#engine.generate(prompt, { ...this.#options, signal: this.#reply.signal });
      if (dropped > 0) {
        const turns = dropped === 1 ? 'turn was' : `${dropped} turns were`;
        this.#tell(`(the context of ${this.#engine.info.contextLength} tokens is full: the oldest ${turns} forgotten)`);
      }
      let last = '\n';
      for await (const { text } of generation) {
        if (outputClosed()) break;
        print(text);
        last = text.at(-1) ?? last;
      }
      if (last !== '\n' && !outputClosed()) print('\n');
      this.#finish(await generation.result);
    } catch (error) {
      if (!(error instanceof RidgepointError) || error.code !== 'prompt') throw error;
      report(error);
      this.#failed = true;
    } finally {
      this.#reply = undefined;
    }
  }

  #finish(result: GenerationResult): void {
    if (result.ids.length > 0) this.#dialogue.keep(result);
    if (result.finishReason === 'length') this.#tell(`(cut off after ${result.ids.length} tokens)`);
    if (result.finishReason === 'context') this.#tell('(cut off: the context is full)');
    if (result.finishReason === 'abort' && !stopSignal.aborted) this.#tell('(stopped)');
    this.#terminal?.write('\n');
  }

  #interrupt(): void {
    if (this.#reply !== undefined) {
      this.#reply.abort();
      this.#warned = true;
    } else if (this.#lines.clearLine()) {
      this.#warned = false;
    } else if (this.#warned) {
      this.#interrupted = true;
      this.#lines.close();
    } else {
      this.#warned = true;
      this.#lines.say(dim('(Ctrl-C again leaves, as does Ctrl-D)'));
    }
  }
}

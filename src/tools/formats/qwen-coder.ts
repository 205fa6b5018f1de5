import { choice, free, marker, sequence, text, white, type Grammar } from '../../grammar/grammar.js';
import { textParameters } from '../../grammar/text-parameters.js';
import { BufferedReader, type Step } from '../reading/buffered.js';
import { JsonValue, TextValue, type ElementValue } from '../reading/element-value.js';
import type { ReplyEvent, ReplyReader } from '../reading/events.js';
import type { Tool } from '../tool.js';
import { several, type CallLimits, type ToolFormat } from './format.js';
import { CLOSE, OPEN } from './hermes.js';

const FUNCTION = '<function=';
const FUNCTION_CLOSE = '</function>';
const PARAMETER = '<parameter=';
/** Longest name of a function or parameter that is waited for. */
const LONGEST_NAME = 256;

/** Free text, and between two tags an element for each function, with one for each parameter; Qwen3-Coder's. */
class QwenCoderReader extends BufferedReader {
  protected step: Step = this.#text;
  #count = 0;
  #texts: ReadonlySet<string> = new Set();
  #value: ElementValue = new JsonValue();

  readonly #tools: readonly Tool[];

  constructor(tools: readonly Tool[]) {
    super();
    this.#tools = tools;
  }

  #text(): boolean {
    if (!this.upTo(OPEN)) return false;
    this.step = this.#function;
    return true;
  }

  #function(): boolean {
    const begin = /^[ \t\r\n]*<function=([^\s<>]+)>/.exec(this.buffer);
    if (begin !== null) {
      const [whole, name] = begin;
      this.take(whole.length);
      this.events.push({ kind: 'call', name });
      this.#count = 0;
      this.#texts = textParameters(this.#tools.find((tool) => tool.name === name)?.parameters);
      this.step = this.#inside;
      return true;
    }
    if (!this.ended && mayBegin(this.buffer.replace(/^[ \t\r\n]+/, ''), FUNCTION)) return false;
    // It was no call.
    this.text(OPEN);
    this.step = this.#text;
    return true;
  }

  /** Between two parameters. */
  #inside(): boolean {
    const begin = /^[ \t\r\n]*<parameter=([^\s<>]+)>/.exec(this.buffer);
    if (begin !== null) {
      const [whole, name] = begin;
      this.take(whole.length);
      const key = `${this.#count++ === 0 ? '{' : ', '}${JSON.stringify(name)}: `;
      this.events.push({ kind: 'arguments', text: key });
      this.#value = this.#texts.has(name) ? new TextValue() : new JsonValue();
      this.step = this.#inValue;
      return true;
    }
    this.skipWhite();
    if (this.buffer.startsWith(FUNCTION_CLOSE)) return this.#closed(FUNCTION_CLOSE);
    if (this.buffer.startsWith(CLOSE)) return this.#closed('');
    const possible = [PARAMETER, FUNCTION_CLOSE, CLOSE].some((tag) => mayBegin(this.buffer, tag));
    if (possible && !this.ended) return false;
    if (this.buffer === '') return false;
    // What stands between parameters is nobody's.
    this.take(1);
    return true;
  }

  #closed(tag: string): boolean {
    this.take(tag.length);
    this.events.push({ kind: 'arguments', text: this.#count === 0 ? '{}' : '}' });
    this.step = this.#close;
    return true;
  }

  #inValue(): boolean {
    const { rest, closed } = this.#value.take(this.buffer, this.events);
    this.buffer = rest;
    if (closed) this.step = this.#inside;
    return closed;
  }

  #close(): boolean {
    if (!this.takeClosing(CLOSE)) return false;
    this.step = this.#behind;
    return true;
  }

  /** White space behind a call is not said. */
  #behind(): boolean {
    this.skipWhite();
    if (this.buffer === '') return false;
    this.step = this.#text;
    return true;
  }

  protected override rest(text: string): ReplyEvent[] {
    const events: ReplyEvent[] = [];
    if (this.step === this.#inValue) this.#value.cut(text, events);
    else if (this.step !== this.#inside) events.push({ kind: 'text', text });
    return events;
  }
}

/** Whether a text is the beginning of a tag with a name, as far as one sees. */
function mayBegin(buffer: string, tag: string): boolean {
  if (tag.startsWith(buffer)) return true;
  return tag.endsWith('=') && buffer.startsWith(tag) && buffer.length < LONGEST_NAME && !/[\s<>]/.test(buffer.slice(tag.length)); // prettier-ignore
}

function grammar(tools: readonly Tool[], limits: CallLimits): Grammar {
  const element = ({ name, parameters }: Tool): Grammar =>
    sequence(
      text(`${FUNCTION}${name}>\n`),
      { kind: 'elements', schema: parameters, of: `tool ${name}` },
      text(FUNCTION_CLOSE),
    );
  const call = sequence(marker(OPEN), white(2), choice(...tools.map(element)), white(2), marker(CLOSE));
  const calls = sequence(several(call, white(2), limits), white(2));
  return limits.required ? sequence(white(2), calls) : choice(free(OPEN), sequence(free(OPEN), calls));
}

export const qwenCoder: ToolFormat = {
  name: 'qwen-coder',
  suits: (template) => template.includes(OPEN) && template.includes(FUNCTION),
  specials: [OPEN, CLOSE],
  described: false,
  reader: (tools): ReplyReader => new QwenCoderReader(tools),
  grammar,
};

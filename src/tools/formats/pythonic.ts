import { choice, sequence, text, white, type Grammar } from '../../grammar/grammar.js';
import { BufferedReader, type Step } from '../reading/buffered.js';
import { PythonArguments } from '../reading/python-arguments.js';
import type { ReplyEvent, ReplyReader } from '../reading/events.js';
import type { Tool } from '../tool.js';
import { several, type CallLimits, type ToolFormat } from './format.js';

/** A reply that is a list of calls in Python's words; Llama 3.2's and 4's. */
class PythonicReader extends BufferedReader {
  #arguments = new PythonArguments();
  protected step: Step = this.#start;

  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    super();
    this.#names = names;
  }

  /** Up to the bracket behind the first name: only that makes it a call. */
  #start(): boolean {
    const begin = /^[ \t\r\n]*\[[ \t\r\n]*([\w.-]+)\(/.exec(this.buffer);
    if (begin !== null && this.#names.includes(begin[1])) {
      this.take(begin[0].length);
      this.#open(begin[1]);
      return true;
    }
    const possible = /^[ \t\r\n]*(\[[ \t\r\n]*([\w.-]*))?$/.exec(this.buffer);
    const known = possible !== null && this.#names.some((name) => name.startsWith(possible[2] ?? ''));
    if (known && !this.ended) return false;
    this.step = this.#text;
    return true;
  }

  #open(name: string): void {
    this.events.push({ kind: 'call', name });
    this.#arguments = new PythonArguments();
    this.step = this.#inside;
  }

  #inside(): boolean {
    while (this.buffer !== '') {
      const done = this.#arguments.take(this.take(1), this.events);
      if (!done) continue;
      this.step = this.#between;
      return true;
    }
    return false;
  }

  #between(): boolean {
    this.buffer = this.buffer.replace(/^[, \t\r\n]+/, '');
    if (this.buffer === '') return false;
    const next = /^([\w.-]+)\(/.exec(this.buffer);
    if (next !== null && this.#names.includes(next[1])) {
      this.take(next[0].length);
      this.#open(next[1]);
      return true;
    }
    if (/^[\w.-]+$/.test(this.buffer) && !this.ended) return false;
    if (this.buffer.startsWith(']')) this.take(1);
    this.step = this.#behind;
    return true;
  }

  #behind(): boolean {
    this.skipWhite();
    if (this.buffer === '') return false;
    this.step = this.#text;
    return true;
  }

  #text(): boolean {
    this.text(this.take(this.buffer.length));
    return false;
  }

  override end(): ReplyEvent[] {
    const events = super.end();
    return this.step === this.#inside ? [...events, ...this.#arguments.end()] : events;
  }
}

function grammar(tools: readonly Tool[], limits: CallLimits): Grammar {
  const behind = ({ name, parameters }: Tool): Grammar =>
    sequence({ kind: 'keywords', schema: parameters, of: `tool ${name}` }, text(')'));
  const call = choice(...tools.map((tool) => sequence(text(`${tool.name}(`), behind(tool))));
  const calls = sequence(several(call, text(', '), limits), text(']'));
  if (limits.required) return sequence(text('['), calls);
  const open = sequence(white(), text('['), white());
  const begins = sequence(open, choice(...tools.map(({ name }) => text(`${name}(`))));
  return choice({ kind: 'otherwise', begins }, sequence(open, calls));
}

export const pythonic: ToolFormat = {
  name: 'pythonic',
  suits: (template) => /\[func_name1\(|\[func\(/.test(template),
  specials: ['<|python_start|>', '<|python_end|>'],
  described: false,
  reader: (tools): ReplyReader => new PythonicReader(tools.map(({ name }) => name)),
  grammar,
};

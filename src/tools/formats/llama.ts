import { choice, marker, optional, sequence, text, white, type Grammar } from '../../grammar/grammar.js';
import { BufferedReader, type Step } from '../reading/buffered.js';
import { CallObject } from '../reading/call-object.js';
import type { ReplyEvent, ReplyReader } from '../reading/events.js';
import type { Tool } from '../tool.js';
import { named, several, type CallLimits, type ToolFormat } from './format.js';

const TAG = '<|python_tag|>';

/** A reply that is nothing but calls: an object each, `;` between them, perhaps with a tag before; Llama 3's. */
class LlamaReader extends BufferedReader {
  /** Only with its name first is an object a call, as in the grammar: a reply may well be other JSON. */
  #call = new CallObject(['name']);
  #tag = '';
  #white = '';
  protected step: Step = this.#start;

  #start(): boolean {
    const before = this.buffer.length;
    const all = this.buffer;
    this.skipWhite();
    this.#white += all.slice(0, before - this.buffer.length);
    if (this.buffer === '') return false;
    const tagged = this.#tag === '' ? this.begins(TAG) : false;
    if (tagged === undefined) return false;
    if (tagged) this.#tag = this.#white + this.take(TAG.length);
    else if (this.buffer.startsWith('{')) this.step = this.#object;
    else {
      this.text(this.#tag + this.#white);
      this.step = this.#text;
    }
    if (tagged) this.#white = '';
    return true;
  }

  #object(): boolean {
    while (this.buffer !== '') {
      const state = this.#call.take(this.take(1), this.events);
      if (state === 'more') continue;
      if (state === 'failed' && !this.#call.begun) this.text(this.#tag + this.#white + this.#call.raw);
      this.step = state === 'done' ? this.#behind : this.#text;
      return true;
    }
    return false;
  }

  #behind(): boolean {
    this.buffer = this.buffer.replace(/^[; \t\r\n]+/, '');
    if (this.buffer === '') return false;
    this.#call = new CallObject(['name']);
    this.#tag = this.#white = '';
    this.step = this.#start;
    return true;
  }

  #text(): boolean {
    this.text(this.take(this.buffer.length));
    return false;
  }

  override end(): ReplyEvent[] {
    const events = super.end();
    if (this.step === this.#start) return [...events, ...said(this.#tag + this.#white)];
    if (this.step !== this.#object || this.#call.begun) return events;
    return [...events, ...said(this.#tag + this.#white + this.#call.raw)];
  }
}

const said = (text: string): ReplyEvent[] => (text === '' ? [] : [{ kind: 'text', text }]);

/** How a call begins, up to the colon behind its name's key. */
const BEGIN = sequence(white(), optional(marker(TAG)), white(), text('{'), white(), text('"name"'));

function grammar(tools: readonly Tool[], limits: CallLimits): Grammar {
  const behind = named(tools, 'parameters');
  const next = sequence(text('{"name"'), behind);
  const calls = (first: Grammar): Grammar =>
    sequence(first, limits.parallel ? { kind: 'repeat', item: sequence(text('; '), next), min: 0 } : text(''));
  if (limits.required) return sequence(optional(marker(TAG)), several(next, text('; '), limits));
  const begins = choice(BEGIN, sequence(white(), marker(TAG)));
  return choice({ kind: 'otherwise', begins }, calls(sequence(BEGIN, behind)));
}

export const llama: ToolFormat = {
  name: 'llama',
  suits: (template) => template.includes(TAG) || /"name": function name, "parameters"/.test(template),
  specials: [TAG],
  described: false,
  reader: (): ReplyReader => new LlamaReader(),
  grammar,
};

import { choice, free, json, marker, optional, sequence, text, white, type Grammar } from '../../grammar/grammar.js';
import { BufferedReader, type Step } from '../reading/buffered.js';
import { CallObject } from '../reading/call-object.js';
import type { ReplyReader } from '../reading/events.js';
import { ValueEnd } from '../reading/value.js';
import type { Tool } from '../tool.js';
import { named, several, type CallLimits, type ToolFormat } from './format.js';

const CALLS = '[TOOL_CALLS]';
const ARGS = '[ARGS]';

/**
 * Free text, a tag, and a list of objects; or, in newer models, a tag before each call, its name, another tag and its
 * arguments.
 */
class MistralReader extends BufferedReader {
  #call = new CallObject();
  #end = new ValueEnd();
  #raw = '';
  #told = false;
  protected step: Step = this.#text;

  #text(): boolean {
    if (!this.upTo(CALLS)) return false;
    this.#raw = CALLS;
    this.step = this.#form;
    return true;
  }

  #form(): boolean {
    this.skipWhite();
    if (this.buffer === '') return false;
    this.#call = new CallObject();
    this.step = this.buffer.startsWith('[') ? this.#list : this.#name;
    if (this.step === this.#list) this.#raw += this.take(1);
    return true;
  }

  #list(): boolean {
    this.skipWhite();
    const [char] = this.buffer;
    if (char === undefined) return false;
    if (char === ',' || char === ']') {
      this.take(1);
      if (char === ']') this.step = this.#behind;
      return true;
    }
    this.#call = new CallObject();
    this.step = this.#object;
    return true;
  }

  #object(): boolean {
    while (this.buffer !== '') {
      const state = this.#call.take(this.take(1), this.events);
      if (state === 'more') continue;
      if (state === 'failed' && !this.#call.begun) this.text(this.#raw + this.#call.raw);
      this.#raw = '';
      this.step = state === 'done' ? this.#list : this.#text;
      return true;
    }
    return false;
  }

  /** A name goes on to its tag, or to its arguments where that is left out. */
  #name(): boolean {
    const at = /\[ARGS\]|\{/.exec(this.buffer);
    if (at === null) return false;
    const name = this.take(at.index).trim();
    if (at[0] === ARGS) this.take(ARGS.length);
    this.events.push({ kind: 'call', name: name.replace(/\[CALL_ID\].*$/s, '') });
    this.#raw = '';
    this.#end = new ValueEnd();
    this.step = this.#arguments;
    return true;
  }

  #arguments(): boolean {
    if (!this.#told) this.skipWhite();
    while (this.buffer !== '') {
      const place = this.#end.take(this.buffer[0]);
      if (place !== 'past') this.events.push({ kind: 'arguments', text: this.take(1) });
      this.#told = place === 'more';
      if (place === 'more') continue;
      this.step = this.#behind;
      return true;
    }
    return false;
  }

  #behind(): boolean {
    this.skipWhite();
    if (this.buffer === '') return false;
    this.step = this.#text;
    return true;
  }

  override end(): ReturnType<BufferedReader['end']> {
    const events = super.end();
    const open = this.step === this.#object || this.step === this.#list || this.step === this.#form;
    if (!open || this.#raw === '' || this.#call.begun) return events;
    return [...events, { kind: 'text', text: this.#raw + this.#call.raw }];
  }

  protected override rest(rest: string): ReturnType<BufferedReader['end']> {
    return [{ kind: 'text', text: this.#raw + rest }];
  }
}

function listed(tools: readonly Tool[], limits: CallLimits): Grammar {
  const call = sequence(text('{"name"'), named(tools, 'arguments'));
  return around(sequence(marker(CALLS), white(1), text('['), several(call, text(', '), limits), text(']')), limits);
}

function tagged(tools: readonly Tool[], limits: CallLimits): Grammar {
  const call = choice(
    ...tools.map(({ name, parameters }) =>
      sequence(marker(CALLS), text(name), optional(marker(ARGS)), json(parameters, `tool ${name}`)),
    ),
  );
  return around(several(call, text(''), limits), limits);
}

const around = (calls: Grammar, { required }: CallLimits): Grammar =>
  required ? calls : choice(free(CALLS), sequence(free(CALLS), calls));

const shared = {
  specials: [CALLS, ARGS, '[CALL_ID]'],
  described: false,
  reader: (): ReplyReader => new MistralReader(),
};

export const mistral: ToolFormat = {
  ...shared,
  name: 'mistral',
  suits: (template) => template.includes(CALLS),
  grammar: listed,
};

/** The newer form. */
export const mistralArgs: ToolFormat = {
  ...shared,
  name: 'mistral-args',
  suits: (template) => template.includes(CALLS) && template.includes(ARGS),
  grammar: tagged,
};

import { choice, free, marker, sequence, text, white, type Grammar } from '../../grammar/grammar.js';
import { BufferedReader, type Step } from '../reading/buffered.js';
import { CallObject } from '../reading/call-object.js';
import { WHITE, type ReplyEvent, type ReplyReader } from '../reading/events.js';
import type { Tool } from '../tool.js';
import { named, several, type CallLimits, type ToolFormat } from './format.js';

export const OPEN = '<tool_call>';
export const CLOSE = '</tool_call>';

/** Free text, and between two tags an object for each call; Hermes' and Qwen's. */
class HermesReader extends BufferedReader {
  #call = new CallObject();
  protected step: Step = this.#text;

  #text(): boolean {
    if (!this.upTo(OPEN)) return false;
    this.#call = new CallObject();
    this.step = this.#object;
    return true;
  }

  #object(): boolean {
    while (this.buffer !== '') {
      const state = this.#call.take(this.take(1), this.events);
      if (state === 'more') continue;
      if (state === 'failed' && !this.#call.begun) this.text(OPEN + this.#call.raw);
      this.step = state === 'done' ? this.#close : this.#text;
      return true;
    }
    return false;
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

  override end(): ReplyEvent[] {
    const cut = this.step === this.#object && !this.#call.begun;
    const events = super.end();
    return cut ? [...events, { kind: 'text', text: (OPEN + this.#call.raw).replace(WHITE, '') }] : events;
  }
}

function grammar(tools: readonly Tool[], limits: CallLimits): Grammar {
  const call = sequence(marker(OPEN), white(2), text('{"name"'), named(tools, 'arguments'), white(2), marker(CLOSE));
  const calls = sequence(several(call, white(2), limits), white(2));
  return limits.required ? sequence(white(2), calls) : choice(free(OPEN), sequence(free(OPEN), calls));
}

export const hermes: ToolFormat = {
  name: 'hermes',
  suits: (template) => template.includes(OPEN),
  specials: [OPEN, CLOSE],
  described: false,
  reader: (): ReplyReader => new HermesReader(),
  grammar,
};

import { choice, json, sequence, text, type Grammar } from '../../grammar/grammar.js';
import type { ReplyReader } from '../reading/events.js';
import type { Tool } from '../tool.js';

export const TOOL_FORMATS = [
  'hermes',
  'llama',
  'pythonic',
  'mistral',
  'mistral-args',
  'qwen-coder',
  'generic',
] as const;
export type ToolFormatName = (typeof TOOL_FORMATS)[number];

/** Which calls a reply may have. */
export interface CallLimits {
  /** At least one, and nothing before it. */
  readonly required: boolean;
  /** Several, one after the other. */
  readonly parallel: boolean;
}

/** How a family of models writes calls of tools. */
export interface ToolFormat {
  readonly name: ToolFormatName;
  /** Whether a chat template is one of this family's. */
  suits(template: string): boolean;
  /** Special tokens that the reader must see. */
  readonly specials: readonly string[];
  /** The template knows of no tools: they are described in a message, and calls in the history are written out. */
  readonly described: boolean;
  /** Reads replies. @param tools where only these make a call, or their schemas say what its words mean */
  reader(tools: readonly Tool[]): ReplyReader;
  /**
   * The form of a reply: free text until a call begins, and then nothing but calls of these tools with arguments of
   * their schemas.
   */
  grammar(tools: readonly Tool[], limits: CallLimits): Grammar;
}

/** `{"name": …, "arguments": …}` of one of the tools, from behind the name's key on. */
export function named(tools: readonly Tool[], key: 'arguments' | 'parameters'): Grammar {
  return choice(
    ...tools.map(({ name, parameters }) =>
      sequence(text(`: ${JSON.stringify(name)}, "${key}":`), json(parameters, `tool ${name}`), text('}')),
    ),
  );
}

/** A list of at least one item, of exactly one where there are not to be several. */
export function several(item: Grammar, separator: Grammar, { parallel }: CallLimits): Grammar {
  if (!parallel) return item;
  return sequence(item, { kind: 'repeat', item: sequence(separator, item), min: 0 });
}

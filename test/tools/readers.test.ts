import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ReasoningReader,
  TextReader,
  toolFormat,
  toolFormatOf,
  TOOL_FORMATS,
  type ReplyEvent,
} from '../../src/tools/index.js';
import type { ReplyReader } from '../../src/tools/reading/events.js';

interface Read {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly (readonly [string, string])[];
}

/** What a reader makes of a text, in pieces cut at these places. */
function read(reader: ReplyReader, text: string, cuts: readonly number[] = []): Read {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const pieces = [...places, text.length].map((end, at) => text.slice(at === 0 ? 0 : places[at - 1], end));
  const events: ReplyEvent[] = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
  const said = (kind: 'text' | 'reasoning'): string =>
    events.map((event) => (event.kind === kind ? event.text : '')).join('');
  const calls: [string, string][] = [];
  for (const event of events) {
    if (event.kind === 'call') calls.push([event.name, '']);
    if (event.kind === 'arguments') calls[calls.length - 1][1] += event.text;
  }
  return { text: said('text'), reasoning: said('reasoning'), calls };
}

const NAMES = ['look', 'weather.now'];
const PARAMETERS = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    kind: { $ref: '#/$defs/kind' },
    n: { type: 'array' },
    note: { type: ['string', 'null'] },
  },
  $defs: { kind: { anyOf: [{ enum: ['a', 'b'] }, { const: '1' }] } },
};
const of = (name: (typeof TOOL_FORMATS)[number]) =>
  toolFormat(name).reader(NAMES.map((tool) => ({ name: tool, parameters: PARAMETERS })));

const DATA = { at: 'a "b" {[\\', n: [1, -2.5e3, { deep: null }], 'é😀': true };
const args = JSON.stringify(DATA);
const PYTHON = `text='it\\'s "so"\\n\\u00e9', n=[1, -2.5, {"deep": None}], ok=True, none=()`;

/** Texts in each family's way of writing, and what is in them. */
const SAMPLES: readonly (readonly [(typeof TOOL_FORMATS)[number], string, Read])[] = [
  ['hermes', 'Let me look.\n<tool_call>\n{"name": "look", "arguments": ' + args + '}\n</tool_call>', { text: 'Let me look.\n', reasoning: '', calls: [['look', args]] }],
  ['hermes', `<tool_call>{"arguments":${args},"name":"look"}</tool_call>\n\n<tool_call>{"name":"b"}</tool_call> done`, { text: 'done', reasoning: '', calls: [['look', args], ['b', '{}']] }],
  ['hermes', 'a < b, <tool_calls>, <tool_call>no</tool_call>', { text: 'a < b, <tool_calls>, <tool_call>no</tool_call>', reasoning: '', calls: [] }],
  ['hermes', `<tool_call>{"name": "look", "arguments": ${JSON.stringify(args)}}</tool_call>`, { text: '', reasoning: '', calls: [['look', args]] }],
  ['llama', `<|python_tag|>{"name": "look", "parameters": ${args}}`, { text: '', reasoning: '', calls: [['look', args]] }],
  ['llama', ` {"name": "look", "parameters": {}}; {"name": "b", "parameters": ${args}}`, { text: '', reasoning: '', calls: [['look', '{}'], ['b', args]] }],
  ['llama', '{"answer": {"name": "x"}}', { text: '{"answer": {"name": "x"}}', reasoning: '', calls: [] }],
  ['llama', 'It is {"name": "look"}.', { text: 'It is {"name": "look"}.', reasoning: '', calls: [] }],
  ['pythonic', `[look(${PYTHON}), weather.now()]`, { text: '', reasoning: '', calls: [['look', JSON.stringify({ text: 'it\'s "so"\né', n: [1, -2.5, { deep: null }], ok: true, none: [] }).replaceAll('":', '": ').replaceAll(/,(?=["{\d-])/g, ', ')], ['weather.now', '{}']] }],
  ['pythonic', '[1, 2] and [other(a=1)]', { text: '[1, 2] and [other(a=1)]', reasoning: '', calls: [] }],
  ['mistral', `Well. [TOOL_CALLS] [{"name": "look", "arguments": ${args}}, {"name": "b", "arguments": {}, "id": "123456789"}]`, { text: 'Well. ', reasoning: '', calls: [['look', args], ['b', '{}']] }],
  ['mistral-args', `[TOOL_CALLS]look[ARGS]${args}[TOOL_CALLS]b{}`, { text: '', reasoning: '', calls: [['look', args], ['b', '{}']] }],
  ['qwen-coder', 'Let me look.\n<tool_call>\n<function=look>\n<parameter=text>\n 5 <b>\n"é😀"\\\n\n</parameter>\n<parameter=n>\n[1, {"a": "x\\n</parameter>"}]\n</parameter>\n</function>\n</tool_call>', { text: 'Let me look.\n', reasoning: '', calls: [['look', '{"text": " 5 <b>\\n\\"é😀\\"\\\\\\n", "n": [1, {"a": "x\\n</parameter>"}]}']] }],
  ['qwen-coder', '<tool_call><function=look><parameter=text></parameter><parameter=kind>1</parameter><parameter=note>so it is</parameter></function></tool_call>\n<tool_call>\n<function=weather.now>\n</function>\n</tool_call> done', { text: 'done', reasoning: '', calls: [['look', '{"text": "", "kind": "1", "note": "so it is"}'], ['weather.now', '{}']] }],
  ['qwen-coder', '<tool_call>\n<function=other>\n<parameter=a>\nTrue\n</parameter>\n<parameter=b>\n12\n</parameter>\n</tool_call>', { text: '', reasoning: '', calls: [['other', '{"a": true, "b": 12}']] }],
  ['qwen-coder', 'a < b, <tool_calls>, <tool_call>no</tool_call>', { text: 'a < b, <tool_calls>, <tool_call>no</tool_call>', reasoning: '', calls: [] }],
  ['generic', `<tool_call>{"name": "look", "arguments": ${args}}</tool_call>`, { text: '', reasoning: '', calls: [['look', args]] }],
]; // prettier-ignore

const cuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 60 });

describe('calls in replies', () => {
  it.each(SAMPLES)('%s: %s', (name, text, expected) => {
    expect(read(of(name), text)).toEqual(expected);
    expect(
      read(
        of(name),
        text,
        Array.from({ length: text.length }, (_, at) => at),
      ),
    ).toEqual(expected);
  });

  it('are the same wherever the text is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), cuts, ([name, text, expected], places) => {
        expect(read(of(name), text, places)).toEqual(expected);
      }),
    );
  });

  it('are the same wherever it is cut, whatever it is and wherever it ends', () => {
    const words = ['<tool_call>', '</tool_call>', '[TOOL_CALLS]', '[ARGS]', '<|python_tag|>', '{"name": "look"', ', "arguments": ', ', "parameters": {', '[look(', 'a=', "'x\\", ')', ']', '}', '"', ' ', '\n', 'look', ';', '1', '<function=look>', '<parameter=text>', '<parameter=n>', '</parameter>', '</function>', 'é', '<', '[']; // prettier-ignore
    const texts = fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.constantFrom(...TOOL_FORMATS), texts, cuts, (name, text, places) => {
        expect(read(of(name), text, places)).toEqual(read(of(name), text));
      }),
      { numRuns: 600 },
    );
  });

  it('in elements come while they are written', () => {
    const reader = of('qwen-coder');
    expect(reader.push('<tool_call>\n<function=look>\n<parameter=text>\nHello <')).toEqual([
      { kind: 'call', name: 'look' },
      { kind: 'arguments', text: '{"text": "Hello ' },
    ]);
    expect(reader.push('b>\n')).toEqual([{ kind: 'arguments', text: '<b>' }]);
    expect(reader.push('you</para')).toEqual([{ kind: 'arguments', text: '\\nyou' }]);
    expect(reader.push('meter></function>')).toEqual([{ kind: 'arguments', text: '"}' }]);
  });

  it('are kept back to no further than they must be', () => {
    const reader = of('hermes');
    expect(reader.push('Hello <')).toEqual([{ kind: 'text', text: 'Hello ' }]);
    expect(reader.push('b> <tool_call>{"name": "look", "argu')).toEqual([
      { kind: 'text', text: '<b> ' },
      { kind: 'call', name: 'look' },
    ]);
    expect(reader.push('ments": {"a"')).toEqual([{ kind: 'arguments', text: '{"a"' }]);
  });
});

describe('what a model thinks', () => {
  const markers = { open: '<think>', close: '</think>' };
  it.each([
    ['<think>\nHm <tool_call>.</think>\n\nYes.', false, { reasoning: '\nHm <tool_call>.', text: 'Yes.', calls: [] }],
    ['so it is</think>Yes.', true, { reasoning: 'so it is', text: 'Yes.', calls: [] }],
    ['No <think>x</think>', false, { reasoning: '', text: 'No <think>x</think>', calls: [] }],
    ['<think>cut', false, { reasoning: 'cut', text: '', calls: [] }],
  ] as const)('%s', (text, begun, expected) => {
    fc.assert(
      fc.property(cuts, (places) => {
        expect(read(new ReasoningReader(markers, of('hermes'), begun), text, places)).toEqual(expected);
        expect(read(new ReasoningReader(markers, new TextReader(), begun), text, places)).toEqual(expected);
      }),
    );
  });
});

describe('the format of a template', () => {
  it.each([
    ["{{ '<tool_call>' }}", 'hermes'],
    ["{{ '<tool_call>\n<function=' + tool_call.name }}", 'qwen-coder'],
    ["{{ '[TOOL_CALLS] [' }}", 'mistral'],
    ["{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", 'mistral-args'],
    ['Respond in the format {"name": function name, "parameters": dictionary}', 'llama'],
    ["{{- '<|python_tag|>' + call }}", 'llama'],
    ['[func_name1(params_name1=params_value1), func_name2(params)] <|python_tag|>', 'pythonic'],
    ['{{ tools }}', 'generic'],
  ] as const)('%s is %s', (template, name) => {
    expect(toolFormatOf(template, true).name).toBe(name);
    expect(toolFormatOf(template, false).name).toBe('generic');
  });
});

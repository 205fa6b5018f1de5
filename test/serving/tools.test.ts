import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { compileGrammar } from '../../src/grammar/index.js';
import type { ToolFormatName } from '../../src/tools/index.js';
import { FakeEngine } from './fake-engine.js';
import { loadReal } from './real.js';
import { post, start } from './support.js';
import { chosen } from '../support/scale.js';

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
};
const NOW = { type: 'function' as const, function: { name: 'now', parameters: {} } };
const MESSAGES = [{ role: 'user' as const, content: 'Once upon a time' }];

const client = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });

/** Templates in each family's style, written for this test. */
const TURNS = `{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}CALLS{% for c in m.tool_calls %}`;
const STYLES: Readonly<Record<Exclude<ToolFormatName, 'generic'>, string>> = {
  hermes: `{% if tools %}{{ tools | tojson }}{% endif %}${TURNS}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}{% endif %}</{{ m.role }}>{% endfor %}`,
  llama: `{% if tools %}{{ tools | tojson }} Respond in the format {"name": function name, "parameters": dictionary}{% endif %}${TURNS}{"name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}{% endfor %}{% endif %}</{{ m.role }}>{% endfor %}`,
  pythonic: `{% if tools %}{{ tools | tojson }} as [func_name1(a=b)]{% endif %}${TURNS}{{ c.function.name }}({{ c.function.arguments }}){% endfor %}{% endif %}</{{ m.role }}>{% endfor %}`,
  mistral: `{% if tools %}[AVAILABLE_TOOLS] {{ tools | tojson }}{% endif %}${TURNS}[TOOL_CALLS] [{{ c.function | tojson }}, {{ c.id }}]{% endfor %}{% endif %}{% if m.tool_call_id %}{{ m.tool_call_id }}{% endif %}</{{ m.role }}>{% endfor %}`,
  'mistral-args': `{% if tools %}{{ tools | tojson }}{% endif %}${TURNS}[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}{% endfor %}{% endif %}</{{ m.role }}>{% endfor %}`,
  'qwen-coder': `{% if tools %}{{ tools | tojson }}{% endif %}${TURNS}<tool_call>\n<function={{ c.function.name }}>\n{% for name, value in c.function.arguments | items %}<parameter={{ name }}>\n{{ value if value is string else value | tojson }}\n</parameter>\n{% endfor %}</function>\n</tool_call>{% endfor %}{% endif %}</{{ m.role }}>{% endfor %}`,
};
/** The same call, as each family writes it. */
const ARGUMENTS = '{"city": "Rome", "days": 3}';
const CALLS: Readonly<Record<ToolFormatName, string>> = {
  hermes: `<tool_call>\n{"name": "weather", "arguments": ${ARGUMENTS}}\n</tool_call>`,
  generic: `<tool_call>{"name": "weather", "arguments": ${ARGUMENTS}}</tool_call>`,
  llama: `{"name": "weather", "parameters": ${ARGUMENTS}}`,
  pythonic: '[weather(city="Rome", days=3)]',
  mistral: `[TOOL_CALLS] [{"name": "weather", "arguments": ${ARGUMENTS}}]`,
  'mistral-args': `[TOOL_CALLS]weather[ARGS]${ARGUMENTS}`,
  'qwen-coder':
    '<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>',
};

describe.each(Object.keys(CALLS) as ToolFormatName[])('calls as %s has them', (format) => {
  const chatTemplate = format === 'generic' ? '{% for m in messages %}{{ m.content }}{% endfor %}' : STYLES[format];
  const engine = new FakeEngine({ chatTemplate, reply: () => CALLS[format] });

  it('are found in an answer, whole and streamed', async () => {
    const openai = client((await start(engine, { compileGrammar })).url);
    const request = { model: 'fake/bytes', messages: MESSAGES, tools: [WEATHER, NOW] };
    const { choices } = await openai.chat.completions.create(request);
    expect(choices[0].finish_reason).toBe('tool_calls');
    expect(choices[0].message.content).toBeNull();
    const [call] = choices[0].message.tool_calls!;
    expect(call).toMatchObject({ type: 'function', function: { name: 'weather' } });
    expect(call.id).toMatch(/^call_[0-9a-f]{24}$/);
    expect(JSON.parse((call as { function: { arguments: string } }).function.arguments)).toEqual({
      city: 'Rome',
      days: 3,
    });
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).toContain('The weather of a city.');

    const stream = openai.chat.completions.stream({ ...request, n: 2 });
    let pieces = 0;
    stream.on('tool_calls.function.arguments.delta', () => pieces++);
    const final = await stream.finalChatCompletion();
    expect(pieces).toBeGreaterThan(format === 'pythonic' ? 3 : 10);
    for (const choice of final.choices) {
      expect(choice.finish_reason).toBe('tool_calls');
      expect(choice.message.tool_calls).toHaveLength(1);
      expect(choice.message.tool_calls![0].function.name).toBe('weather');
      expect(JSON.parse(choice.message.tool_calls![0].function.arguments)).toEqual({ city: 'Rome', days: 3 });
    }
  });

  it('are bound to the schema as soon as they begin', async () => {
    const wrong = CALLS[format].replace('3', '77').replace('Rome', 'A city of a name too long');
    const { url } = await start(new FakeEngine({ chatTemplate, reply: () => wrong }), { compileGrammar });
    const { choices } = await client(url).chat.completions.create({
      model: 'fake/bytes',
      messages: MESSAGES,
      tools: [WEATHER],
      max_tokens: 300,
    });
    const [call] = choices[0].message.tool_calls as { function: { name: string; arguments: string } }[];
    const { city, days } = JSON.parse(call.function.arguments) as { city: string; days: number };
    expect(city.length).toBeLessThanOrEqual(12);
    expect(days).toBeLessThanOrEqual(9);
  });

  it('and their answers stand in the history', async () => {
    const { url } = await start(engine, { compileGrammar });
    const history = [
      ...MESSAGES,
      {
        role: 'assistant' as const,
        content: null,
        tool_calls: [
          { id: 'call_12345678-abc', type: 'function' as const, function: { name: 'weather', arguments: ARGUMENTS } },
        ],
      },
      { role: 'tool' as const, tool_call_id: 'call_12345678-abc', content: 'sunny' },
    ];
    await client(url).chat.completions.create({ model: 'fake/bytes', messages: history, tools: [WEATHER] });
    const prompt = engine.detokenize(engine.calls.at(-1)!.prompt);
    expect(prompt).toContain('Rome');
    expect(prompt).toContain('sunny');
    if (format === 'mistral') expect(prompt.match(/45678abc/g), prompt).toHaveLength(2);
    expect(prompt).toContain(format === 'generic' ? '<tool_call>{"name":"weather"' : 'CALLS');
  });
});

describe('which tools may be called', () => {
  const engine = new FakeEngine({ reply: () => 'I would rather talk.' });
  const ask = async (fields: object) => {
    const openai = client((await start(engine, { compileGrammar })).url);
    const request = { model: 'fake/bytes', messages: MESSAGES, tools: [WEATHER, NOW], max_tokens: 400, ...fields };
    const { choices } = await openai.chat.completions.create(request as OpenAI.ChatCompletionCreateParamsNonStreaming);
    const calls = choices[0].message.tool_calls as { function: { name: string; arguments: string } }[] | undefined;
    return { ...choices[0], names: (calls ?? []).map((call) => call.function.name) };
  };
  const named = (name: string) => ({ type: 'function', function: { name } });

  it('is the client’s choice', async () => {
    const free = await ask({});
    expect(free).toMatchObject({ names: [], finish_reason: 'stop', message: { content: 'I would rather talk.' } });
    expect((await ask({ tool_choice: 'none' })).names).toEqual([]);
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).not.toContain('weather');
    expect((await ask({ tool_choice: named('now') })).names).toEqual(['now']);
    expect((await ask({ tool_choice: named('weather') })).names).toEqual(['weather']);
    const forced = await ask({ tool_choice: 'required', parallel_tool_calls: false });
    expect(forced.names).toHaveLength(1);
    expect(forced.message.content).toBeNull();
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [named('now')] } };
    expect(new Set((await ask({ tool_choice: allowed })).names)).toEqual(new Set(['now']));
    expect(engine.detokenize(engine.calls.at(-1)!.prompt), 'told of all').toContain('weather');
    const list = (mode: string, ...tools: object[]) => ({
      tool_choice: { ...allowed, allowed_tools: { mode, tools } },
    });
    expect((await ask(list('auto', named('now')))).message.content).toBe('I would rather talk.');
    expect((await ask(list('auto'))).names).toEqual([]);
    for (const wrong of [list('required'), list('auto', named('other')), { tool_choice: named('other') }]) {
      await expect(ask(wrong)).rejects.toMatchObject({ status: 400, param: 'tool_choice' });
    }
  });

  it.each(['auto', 'required'])('is kept to where a model would call another (%s)', async (mode) => {
    const other = new FakeEngine({ reply: () => CALLS.generic });
    const { url } = await start(other, { compileGrammar });
    const one = { type: 'function', name: 'now' };
    const allowed = { type: 'allowed_tools', mode, tools: [one] };
    const tools = [WEATHER, NOW].map(({ function: of, type }) => ({ type, ...of }));
    const { body } = await post(`${url}/v1/responses`, { input: 'x', tools, tool_choice: allowed });
    const { output } = body as unknown as { output: { type: string; name: string }[] };
    expect(new Set(output.map((item) => item.name))).toEqual(new Set(['now']));
    const chat = { messages: MESSAGES, tools: [WEATHER, NOW], max_tokens: 400 };
    const chatted = await post(`${url}/v1/chat/completions`, {
      ...{ ...chat, tool_choice: { type: 'allowed_tools', allowed_tools: { mode, tools: [{ type: 'function', function: { name: 'now' } }] } } }, // prettier-ignore
    });
    const { tool_calls } = chatted.body.choices[0].message as unknown as {
      tool_calls: { function: { name: string } }[];
    };
    expect(new Set(tool_calls.map((call) => call.function.name))).toEqual(new Set(['now']));
  });

  it('by the older names, one at a time', async () => {
    const fields = {
      tools: undefined,
      functions: [WEATHER.function, NOW.function],
      function_call: { name: 'weather' },
    };
    const forced = await ask(fields);
    expect(forced.finish_reason).toBe('function_call');
    expect(forced.message.function_call!.name).toBe('weather');
    expect(Object.keys(JSON.parse(forced.message.function_call!.arguments) as object)).toEqual(['city', 'days']);
    expect((await ask({ ...fields, function_call: 'auto' })).message.content).toBe('I would rather talk.');
    const openai = client((await start(engine, { compileGrammar })).url);
    const request = { model: 'fake/bytes', messages: MESSAGES, ...fields, tools: undefined, max_tokens: 400 };
    let given = '';
    for await (const { choices } of await openai.chat.completions.create({ ...request, stream: true })) {
      given += choices[0].delta.function_call?.arguments ?? '';
    }
    expect(given).toBe(forced.message.function_call!.arguments);
  });

  it('beside an answer of a form of its own', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: { const: { a: 1 } } } };
    const json = new FakeEngine({ reply: () => '{"a": 1}' });
    const openai = client((await start(json, { compileGrammar })).url);
    const request = { model: 'fake/bytes', messages: MESSAGES, tools: [WEATHER], response_format };
    const answered = await openai.chat.completions.create(request as OpenAI.ChatCompletionCreateParamsNonStreaming);
    expect(JSON.parse(answered.choices[0].message.content!)).toEqual({ a: 1 });
    expect((await ask({ response_format, tool_choice: 'required', parallel_tool_calls: false })).names).toHaveLength(1);
  });

  it('only with arguments of schemas that can be kept to', async () => {
    const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object', not: {} } } };
    await expect(ask({ tools: [NOW, tool] })).rejects.toMatchObject({
      status: 400,
      param: 'tools',
      message: expect.stringContaining('tool f: the JSON schema cannot be used: #/not is not supported') as string,
    });
  });
});

describe('what a model thinks', () => {
  const chatTemplate = '{% for m in messages %}{{ m.content }}{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{% endfor %}{% if add_generation_prompt %}<think>{% endif %}{% if note %}{{ note }}{% endif %}'; // prettier-ignore
  const engine = new FakeEngine({ chatTemplate, reply: () => 'First this.</think>\n\n{"a": 1}' });
  const ask = async (fields: object = {}) => {
    const openai = client((await start(engine, { compileGrammar })).url);
    const request = { model: 'fake/bytes', messages: MESSAGES, max_tokens: 200, ...fields };
    return (await openai.chat.completions.create(request as OpenAI.ChatCompletionCreateParamsNonStreaming)).choices[0];
  };

  it('is told apart, or left where it is', async () => {
    expect((await ask()).message).toMatchObject({
      content: '{"a": 1}',
      reasoning_content: 'First this.',
      reasoning: 'First this.',
    });
    expect((await ask({ include_reasoning: false })).message).not.toHaveProperty('reasoning');
    expect((await ask({ reasoning_format: 'none' })).message.content).toContain('</think>');
    const openai = client((await start(engine)).url);
    const stream = await openai.chat.completions.create({ model: 'fake/bytes', messages: MESSAGES, stream: true });
    let [thought, said] = ['', ''];
    for await (const {
      choices: [choice],
    } of stream) {
      thought += (choice.delta as { reasoning_content?: string }).reasoning_content ?? '';
      said += choice.delta.content ?? '';
    }
    expect([thought, said]).toEqual(['First this.', '{"a": 1}']);
  });

  it('comes before an answer of a form', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: { const: { a: 2 } } } };
    const { message } = await ask({ response_format });
    expect(message).toMatchObject({ reasoning: 'First this.' });
    expect(JSON.parse(message.content!)).toEqual({ a: 2 });
  });

  it('goes back to a template that has a place for it, which other variables reach, too', async () => {
    await ask({
      messages: [...MESSAGES, { role: 'assistant', content: 'A.', reasoning: 'Hm' }, ...MESSAGES],
      chat_template_kwargs: { note: 'NB' },
    });
    const prompt = engine.detokenize(engine.calls.at(-1)!.prompt);
    expect(prompt).toContain('A.(Hm)');
    expect(prompt.endsWith('<think>NB')).toBe(true);
    // Others do not get to see it.
    const plain = new FakeEngine();
    const messages = [...MESSAGES, { role: 'assistant', content: 'A.', reasoning_content: 'Hm' }, ...MESSAGES];
    await post(`${(await start(plain)).url}/v1/chat/completions`, { messages, max_tokens: 1 });
    expect(plain.detokenize(plain.calls[0].prompt)).toMatch(/^(?!.*Hm).*assistant: A\.$/ms);
  });

  it('not where the last message is gone on with', async () => {
    await ask({ messages: [...MESSAGES, { role: 'assistant', content: 'It was ' }], continue_final_message: true });
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).toBe('Once upon a timeIt was');
    await ask({ add_generation_prompt: false });
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).toBe('Once upon a time');
  });
});

describe('the embedded model, which cannot call tools by itself', () => {
  let engine: CoreEngine;
  beforeAll(async () => void (engine = await loadReal()));
  afterAll(() => engine.dispose());

  it.each(
    chosen(
      ['generic', 'llama', 'pythonic', 'mistral', 'mistral-args', 'qwen-coder'] as const,
      (format) => format === 'llama',
    ),
  )('must, in the form of %s', async (toolFormat) => {
    const openai = client((await start(engine, { compileGrammar, toolFormat })).url);
    const request = { model: 'tiny-tales', messages: MESSAGES, tools: [WEATHER], tool_choice: 'required' as const, parallel_tool_calls: false, max_tokens: 150, seed: 4 }; // prettier-ignore
    const { choices } = await openai.chat.completions.create(request);
    expect(choices[0].finish_reason).toBe('tool_calls');
    const [call] = choices[0].message.tool_calls as { function: { name: string; arguments: string } }[];
    const { city, days, ...rest } = JSON.parse(call.function.arguments) as { city: string; days: number };
    expect(call.function.name).toBe('weather');
    expect(city.length).toBeLessThanOrEqual(12);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(days);
    expect(rest).toEqual({});
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0].message.tool_calls![0].function.arguments).toBe(call.function.arguments);
  });
});

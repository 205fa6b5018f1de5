import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from './fake-engine.js';
import { loadReal } from './real.js';
import { post, start } from './support.js';
import { isFull } from '../support/scale.js';

const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string', maxLength: 8 }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['city', 'days'],
  additionalProperties: false,
};
const TOOL = {
  type: 'function' as const,
  name: 'weather',
  description: 'Tells it.',
  strict: true,
  parameters: PARAMETERS,
};
const CALL = 'Well. <tool_call>{"name": "weather", "arguments": {"city": "Rome", "days": 3}}</tool_call>';

const client = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const started = async (engine: FakeEngine) => client((await start(engine, { compileGrammar })).url);

describe('responses', () => {
  it('are texts, whole and as events', async () => {
    const openai = await started(new FakeEngine());
    const request = { model: 'fake/bytes', input: 'Hi', instructions: 'Be short.', metadata: { a: 'b' } };
    const whole = await openai.responses.create(request);
    expect(whole).toMatchObject({
      object: 'response',
      status: 'completed',
      output_text: 'Hello, world.',
      metadata: { a: 'b' },
      usage: { output_tokens: 14, input_tokens_details: { cached_tokens: 0 } },
    });
    const types: string[] = [];
    const numbers: number[] = [];
    let text = '';
    for await (const event of await openai.responses.create({ ...request, stream: true })) {
      if (types.at(-1) !== event.type) types.push(event.type);
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') expect(event.response.usage).toEqual(whole.usage);
    }
    expect(text).toBe('Hello, world.');
    expect(numbers).toEqual(numbers.map((_, at) => at));
    expect(types.map((type) => type.replace('response.', ''))).toEqual([
      ...['created', 'in_progress', 'output_item.added', 'content_part.added', 'output_text.delta'],
      ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
    ]);
    const cut = await openai.responses.create({ ...request, max_output_tokens: 3 });
    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it('call tools, and go on from what these answered', async () => {
    const engine = new FakeEngine({ reply: (prompt) => (prompt.includes('sunny') ? 'It is sunny.' : CALL) });
    const openai = await started(engine);
    const first = await openai.responses.create({ model: 'fake/bytes', input: 'Weather?', tools: [TOOL] });
    expect(first.output.map(({ type }) => type)).toEqual(['message', 'function_call']);
    const call = first.output[1] as OpenAI.Responses.ResponseFunctionToolCall;
    expect(JSON.parse(call.arguments)).toEqual({ city: 'Rome', days: 3 });
    const second = await openai.responses.create({
      model: 'fake/bytes',
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
      tools: [TOOL],
    });
    expect(second.output_text).toBe('It is sunny.');
    const prompt = engine.detokenize(engine.calls.at(-1)!.prompt);
    expect(prompt).toMatch(
      /Weather\?\nassistant: Well. ?\n<tool_call>.*Rome.*<\/tool_call>\nuser: <tool_response>sunny/s,
    );
    const byHand = await openai.responses.create({
      model: 'fake/bytes',
      store: false,
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { type: 'function_call_output', call_id: call.call_id, output: 'sunny' },
      ],
      tools: [TOOL],
    });
    expect(byHand.output_text).toBe('It is sunny.');
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).toBe(prompt);
    expect((await openai.responses.retrieve(second.id)).id).toBe(second.id);
    await openai.responses.delete(second.id);
    for (const id of [second.id, byHand.id]) {
      await expect(openai.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
      const again = { model: 'fake/bytes', input: 'x', previous_response_id: id };
      await expect(openai.responses.create(again)).rejects.toMatchObject({ code: 'previous_response_not_found' });
    }
  });

  it('stream calls with their arguments', async () => {
    const openai = await started(new FakeEngine({ reply: () => CALL }));
    const stream = openai.responses.stream({ model: 'fake/bytes', input: 'Weather?', tools: [TOOL] });
    let given = '';
    for await (const event of stream) {
      if (event.type === 'response.function_call_arguments.delta') given += event.delta;
    }
    expect(JSON.parse(given)).toEqual({ city: 'Rome', days: 3 });
    const final = await stream.finalResponse();
    expect(final.output[1]).toMatchObject({ type: 'function_call', name: 'weather', arguments: given });
  });

  it('have what the model thought as an item', async () => {
    const chatTemplate = '{% for m in messages %}{{ m.content }}{% endfor %}<think>';
    const openai = await started(new FakeEngine({ chatTemplate, reply: () => 'Hm.</think>Yes.' }));
    const { output, output_text } = await openai.responses.create({ model: 'fake/bytes', input: 'x' });
    expect(output_text).toBe('Yes.');
    expect(output[0]).toMatchObject({ type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm.' }] });
  });

  it('refuse by name what is not built', async () => {
    const { url } = await start(new FakeEngine(), { compileGrammar });
    for (const [fields, param] of [
      [{ background: true }, 'background'],
      [{ conversation: 'c' }, 'conversation'],
      [{ truncation: 'auto' }, 'truncation'],
      [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
      [{ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 'input[0]'],
      [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0]'],
      [{ reasoning: { effort: 'high' } }, 'reasoning'],
      [{ max_tokens: 5 }, 'max_tokens'],
      [{ n: 2 }, 'n'],
      [{ text: { format: { type: 'json_schema', name: 'x', schema: { not: {} } } } }, 'text'],
      [{ include: ['message.output_text.logprobs'] }, 'include'],
    ] as const) {
      const { status, body } = await post(`${url}/v1/responses`, { input: 'x', ...fields });
      expect(status, JSON.stringify(fields)).toBe(400);
      expect((body.error as unknown as { param: string }).param, JSON.stringify(body)).toContain(param);
    }
  });
});

describe('responses of the embedded model', () => {
  let engine: CoreEngine;
  beforeAll(async () => void (engine = await loadReal()));
  afterAll(() => engine.dispose());

  it.runIf(isFull)('are of a schema, or calls that fit one', async () => {
    const openai = client((await start(engine, { compileGrammar })).url);
    const request = { model: 'tiny-tales', input: 'Once upon a time', max_output_tokens: 150 };
    const text = { format: { type: 'json_schema' as const, name: 'x', schema: PARAMETERS, strict: true } };
    const parsed = await openai.responses.parse({ ...request, text });
    expect(Object.keys(parsed.output_parsed as unknown as object)).toEqual(['city', 'days']);
    const called = await openai.responses.create({
      ...request,
      tools: [TOOL],
      tool_choice: { type: 'function', name: 'weather' },
    });
    const [call] = called.output as OpenAI.Responses.ResponseFunctionToolCall[];
    expect(Object.keys(JSON.parse(call.arguments) as object)).toEqual(['city', 'days']);
  });
});

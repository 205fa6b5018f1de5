import { describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from './fake-engine.js';
import { post, start } from './support.js';

const TOOL = {
  name: 'weather',
  description: 'Tells it.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
};
const CALL = 'Well. <tool_call>{"name": "weather", "arguments": {"city": "Rome"}}</tool_call>';
const ASK = { model: 'fake/bytes', max_tokens: 200, messages: [{ role: 'user', content: 'Weather?' }] };

describe('messages, as Anthropic’s API has them', () => {
  it('are texts, with the reason of their end', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine, { compileGrammar });
    const ask = async (fields: object = {}) => (await post(`${url}/v1/messages`, { ...ASK, ...fields })).body as object;
    expect(
      await ask({ system: [{ type: 'text', text: 'Short.', cache_control: { type: 'ephemeral' } }] }),
    ).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: 'Hello, world.' }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 14 },
    });
    expect(engine.detokenize(engine.calls[0].prompt)).toBe('system: Short.\nuser: Weather?\n');
    expect(await ask({ max_tokens: 3 })).toMatchObject({ stop_reason: 'max_tokens', content: [{ text: 'Hel' }] });
    expect(await ask({ stop_sequences: [','] })).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: ',' });
  });

  it('call tools, whole and as events', async () => {
    const engine = new FakeEngine({ reply: (prompt) => (prompt.includes('sunny') ? 'Sunny.' : CALL) });
    const { url } = await start(engine, { compileGrammar });
    const { body } = await post(`${url}/v1/messages`, { ...ASK, tools: [TOOL] });
    const { content, stop_reason } = body as unknown as { content: { id: string }[]; stop_reason: string };
    expect(stop_reason).toBe('tool_use');
    expect(content).toMatchObject([
      { type: 'text', text: 'Well. ' },
      { type: 'tool_use', name: 'weather', input: { city: 'Rome' } },
    ]);
    const result = { type: 'tool_result', tool_use_id: content[1].id, content: [{ type: 'text', text: 'sunny' }] };
    const turns = [...ASK.messages, { role: 'assistant', content }, { role: 'user', content: [result] }];
    const next = await post(`${url}/v1/messages`, { ...ASK, messages: turns, tools: [TOOL] });
    expect(next.body).toMatchObject({ content: [{ text: 'Sunny.' }], stop_reason: 'end_turn' });

    const response = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ASK, tools: [TOOL], tool_choice: { type: 'any' }, stream: true }),
    });
    const events = (await response.text())
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => /^event: (.*)\ndata: (.*)$/s.exec(event)!)
      .map(
        ([, name, data]) =>
          [
            name,
            JSON.parse(data) as { type: string; delta?: { partial_json?: string; stop_reason?: string } },
          ] as const,
      );
    for (const [name, { type }] of events) expect(name).toBe(type);
    const names = events.map(([name]) => name).filter((name, at, all) => name !== all[at - 1]);
    expect(names.slice(0, 4)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
    ]);
    expect(names.slice(-2)).toEqual(['message_delta', 'message_stop']);
    expect(events.at(-2)![1].delta!.stop_reason).toBe('tool_use');
    expect(events.some(([, { delta }]) => delta?.partial_json !== undefined)).toBe(true);
  });

  it('call what they must and may', async () => {
    const other = { name: 'now', input_schema: { type: 'object', properties: {} } };
    const { url } = await start(new FakeEngine({ reply: () => CALL }), { compileGrammar });
    const ask = async (tool_choice: object) => {
      const { body } = await post(`${url}/v1/messages`, { ...ASK, tools: [TOOL, other], tool_choice });
      const { content } = body as unknown as { content: { type: string; name?: string }[] };
      return content.filter(({ type }) => type === 'tool_use').map(({ name }) => name);
    };
    expect(await ask({ type: 'auto' })).toEqual(['weather']);
    expect(await ask({ type: 'none' })).toEqual([]);
    expect(await ask({ type: 'tool', name: 'now' })).toEqual(['now']);
    expect(await ask({ type: 'any', disable_parallel_tool_use: true })).toHaveLength(1);
    const absent = await post(`${url}/v1/messages`, {
      ...ASK,
      tools: [TOOL],
      tool_choice: { type: 'tool', name: 'x' },
    });
    expect(absent).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } });
  });

  it('have keys, errors and counts in its words', async () => {
    const { url } = await start(new FakeEngine(), { apiKeys: ['secret'] });
    const counted = await post(
      `${url}/v1/messages/count_tokens`,
      { messages: ASK.messages },
      { 'x-api-key': 'secret' },
    );
    expect(counted.body).toEqual({ input_tokens: 'user: Weather?\n'.length });
    const unknown = await post(`${url}/v1/messages`, ASK);
    expect(unknown).toMatchObject({ status: 401, body: { type: 'error', error: { type: 'authentication_error' } } });
    const image = [{ role: 'user', content: [{ type: 'image', source: {} }] }];
    for (const wrong of [{ messages: image }, { max_tokens: undefined }, { mcp_servers: [{}] }]) {
      const { status, body } = await post(`${url}/v1/messages`, { ...ASK, ...wrong }, { 'x-api-key': 'secret' });
      expect(status).toBe(400);
      expect(body).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    }
  });
});

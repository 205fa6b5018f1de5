import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from './fake-engine.js';
import { events, pause, post, start, until } from './support.js';

const USER = { role: 'user', content: 'Hi' };
const TOOL = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };
interface Chunk {
  readonly text: string;
  readonly token_ids?: readonly number[];
  readonly logprobs: { readonly tokens: readonly string[] } | null;
}
const CALL = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };

describe('what clients send in chats', () => {
  it('assistants without content, with null, with a refusal, and empty models are fine', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    const turns: [object, string][] = [
      [{ role: 'assistant' }, ''],
      [{ role: 'assistant', content: null }, ''],
      [{ role: 'assistant', content: '' }, ''],
      [{ role: 'assistant', content: [] }, ''],
      [{ role: 'assistant', content: null, refusal: 'No.' }, 'No.'],
      [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] }, 'Never.'],
      [{ role: 'assistant', content: 'A', refusal: null, tool_calls: [], function_call: null, audio: null }, 'A'],
    ];
    for (const [turn, said] of turns) {
      const messages = [USER, turn, USER];
      const { status } = await post(`${url}/v1/chat/completions`, { model: '', messages, max_tokens: 2 });
      expect(status, JSON.stringify(turn)).toBe(200);
      const prompt = engine.detokenize(engine.calls.at(-1)!.prompt);
      expect(prompt, JSON.stringify(turn)).toBe(`user: Hi\nassistant: ${said}\nuser: Hi\n`);
    }
    for (const wrong of [{ role: 'user' }, { role: 'user', content: null }, { role: 'system', content: 5 }]) {
      const { status, body } = await post(`${url}/v1/chat/completions`, { messages: [wrong] });
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ param: 'messages[0].content' });
    }
  });

  it('tools may be offered where none may be called; their messages reach a template in the words it has', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    const to = `${url}/v1/chat/completions`;
    for (const [fields, status] of [
      [{ tools: [TOOL], tool_choice: 'none' }, 200],
      [{ functions: [TOOL.function], function_call: 'none' }, 200],
      [{ functions: [TOOL.function], tools: [TOOL] }, 400],
      [{ tools: [], tool_choice: 'auto' }, 200],
      [{ tool_choice: 'none', parallel_tool_calls: true }, 200],
    ] as const) {
      expect((await post(to, { messages: [USER], ...fields })).status, JSON.stringify(fields)).toBe(status);
    }
    const history = [
      USER,
      { role: 'assistant', content: null, tool_calls: [CALL] },
      { role: 'tool', tool_call_id: 'c1', content: 'found' },
      { role: 'tool', tool_call_id: 'c2', content: 'lost' },
    ];
    const request = { messages: history, tools: [TOOL], tool_choice: 'none' };
    // This template has no place for calls, so they are written out.
    expect((await post(to, request)).status).toBe(200);
    expect(engine.detokenize(engine.calls.at(-1)!.prompt)).toBe(
      'user: Hi\nassistant: <tool_call>{"name":"look","arguments":{"at":1}}</tool_call>\n' +
        'user: <tool_response>found</tool_response>\n<tool_response>lost</tool_response>\n',
    );
    const knowing = new FakeEngine({
      template: (messages) => messages.map((message) => JSON.stringify(message)).join('\n'),
    });
    const other = await start(knowing);
    expect((await post(`${other.url}/v1/chat/completions`, request)).status).toBe(200);
    const seen = knowing
      .detokenize(knowing.calls[0].prompt)
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(seen[1]).toEqual({
      role: 'assistant',
      content: '',
      tool_calls: [{ ...CALL, function: { name: 'look', arguments: { at: 1 } } }],
    });
    expect(seen[2]).toEqual({ role: 'tool', content: 'found', tool_call_id: 'c1' });
  });

  it('log-probabilities tell parts of characters apart', async () => {
    const { url } = await start(new FakeEngine({ reply: () => 'é' }));
    const { body } = await post(`${url}/v1/chat/completions`, { messages: [USER], logprobs: true, max_tokens: 2 });
    const { content } = body.choices[0].logprobs as { content: object[] };
    expect(content).toMatchObject([
      { token: '\\xc3', bytes: [0xc3] },
      { token: '\\xa9', bytes: [0xa9] },
    ]);
  });
});

describe('what clients send', () => {
  it('prompt ids come with the first event of a stream', async () => {
    const { url } = await start(new FakeEngine());
    for (const [path, request] of [
      ['completions', { prompt: ['a', 'b'] }],
      ['completions', { prompt: ['a', 'b'], echo: true }],
      ['chat/completions', { messages: [USER] }],
    ] as const) {
      const response = await fetch(`${url}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...request, max_tokens: 3, stream: true, return_token_ids: true }),
      });
      const found = (await events(response))
        .slice(0, -1)
        .map(
          (text) =>
            JSON.parse(text) as {
              prompt_token_ids?: number[];
              choices: { index: number; prompt_token_ids?: number[] }[];
            },
        )
        .map(
          ({ prompt_token_ids, choices: [choice] }) =>
            [choice.index, prompt_token_ids ?? choice.prompt_token_ids] as const,
        );
      for (const index of new Set(found.map(([of]) => of))) {
        const own = found.filter(([of]) => of === index).map(([, ids]) => ids !== undefined);
        expect(own, path).toEqual(own.map((_, at) => at === 0));
      }
    }
  });

  it('a prompt’s own log-probabilities, with and without anything after it', async () => {
    const engine = new FakeEngine({ reply: (prompt) => (prompt === 'a' || prompt === '' ? 'zzz' : 'yy') });
    const { url } = await start(engine);
    const ask = async (fields: object) =>
      (await post(`${url}/v1/completions`, { prompt: 'ab', echo: true, logprobs: 1, ...fields })).body;
    const alone = await ask({ max_tokens: 0 });
    expect(alone.choices[0]).toMatchObject({
      text: 'ab',
      finish_reason: 'length',
      logprobs: { tokens: ['<256>', 'a', 'b'], token_logprobs: [null, 0, 0], text_offset: [0, 0, 1] },
    });
    expect((alone.choices[0].logprobs as { top_logprobs: unknown[] }).top_logprobs).toEqual([null, { a: 0 }, { b: 0 }]);
    expect(alone.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 0 });
    const longer = await ask({ max_tokens: 2, n: 2 });
    for (const choice of longer.choices) {
      expect(choice).toMatchObject({
        text: 'abyy',
        logprobs: { tokens: ['<256>', 'a', 'b', 'y', 'y'], text_offset: [0, 0, 1, 2, 3] },
      });
    }
    expect((await ask({ prompt: [97], max_tokens: 0 })).choices[0]).toMatchObject({
      text: 'a',
      logprobs: { tokens: ['a'], token_logprobs: [null], text_offset: [0] },
    });
    expect((await ask({ max_tokens: 0, logprobs: null })).choices[0]).toMatchObject({ text: 'ab', logprobs: null });
    expect((await ask({ max_tokens: 0, echo: false })).choices[0]).toMatchObject({ text: '', logprobs: null });
    expect(engine.running).toBe(0);
    const streamed = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'ab', echo: true, logprobs: 0, max_tokens: 2, stream: true }),
    });
    const lists = (await events(streamed))
      .slice(0, -1)
      .map(
        (text) =>
          (JSON.parse(text) as { choices: { logprobs: { tokens: string[]; text_offset: number[] } | null }[] })
            .choices[0].logprobs,
      );
    expect(lists.flatMap((list) => list?.tokens ?? [])).toEqual(['<256>', 'a', 'b', 'y', 'y']);
    expect(lists.flatMap((list) => list?.text_offset ?? [])).toEqual([0, 0, 1, 2, 3]);
  });

  it('log-probabilities of the prompt by ids, and that nothing is embedded', async () => {
    const { url } = await start(new FakeEngine({ reply: (prompt) => (prompt === '' ? 'zz' : 'yy') }));
    const request = { prompt: 'ab', prompt_logprobs: 2, max_tokens: 1 };
    const { body } = await post(`${url}/v1/completions`, request);
    expect(body.choices[0]).toMatchObject({
      text: 'y',
      logprobs: null,
      prompt_logprobs: [
        null,
        { 97: { logprob: 0, rank: 1, decoded_token: 'a' }, 65: { logprob: -1, rank: 2, decoded_token: 'A' } },
        { 98: { logprob: 0, rank: 1, decoded_token: 'b' } },
      ],
    });
    for (const wrong of [{ stream: true }, { prompt_logprobs: 21 }]) {
      const refused = await post(`${url}/v1/completions`, { ...request, ...wrong });
      expect(refused).toMatchObject({ status: 400, body: { error: { param: 'prompt_logprobs' } } });
    }
    const embedded = await post(`${url}/v1/embeddings`, { input: 'x' });
    expect(embedded).toMatchObject({ status: 400, body: { error: { code: 'embeddings_not_supported' } } });
  });

  it('tokens that may and may not be chosen, and how little is enough', async () => {
    const { url } = await start(new FakeEngine({ reply: () => 'abcab' }), { compileGrammar });
    const ask = async (fields: object) =>
      (await post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 5, ...fields })).body.choices[0].text;
    expect(await ask({ allowed_token_ids: [98, 99] })).toBe('bbcbb');
    expect(await ask({ bad_words: ['b'] })).not.toContain('b');
    expect(await ask({ bad_words: ['bc'] })).toMatch(/^ab[^c]/);
    expect(await ask({ structured_outputs: { choice: ['no', 'yes'] } })).toMatch(/^(no|yes)$/);
    expect(await ask({ structured_outputs: { regex: '[0-9]{3}' } })).toMatch(/^[0-9]{3}$/);
    expect(await ask({ structured_outputs: { grammar: 'root ::= "q" [x-z]' } })).toMatch(/^q[x-z]$/);
    expect(JSON.parse(await ask({ structured_outputs: { json: { const: 12 } } }))).toBe(12);
    expect(await ask({ structured_outputs: { json_object: true } })).toMatch(/^\s*\{/);
    expect(await ask({ guided_choice: ['no', 'yes'] })).toMatch(/^(no|yes)$/);
    expect(await ask({ guided_grammar: 'root ::= "q" [x-z]' })).toMatch(/^q[x-z]$/);
    expect(JSON.parse(await ask({ json_schema: { const: 12 } }))).toBe(12);
    expect(await ask({ guided_regex: '[0-9]{3}' })).toMatch(/^[0-9]{3}$/);
    expect(await ask({ grammar: 'root ::= "q" [x-z]' })).toMatch(/^q[x-z]$/);
    expect(JSON.parse(await ask({ guided_json: '{"const": 12}' }))).toBe(12);
    expect(await ask({ max_tokens: undefined, n_predict: 2 })).toBe('ab');
    expect(await ask({ prompt: 'xyz', truncate_prompt_tokens: 2, echo: true, max_tokens: 1 })).toBe('yza');
  });

  it('token ids to stop at', async () => {
    const { url } = await start(new FakeEngine({ reply: () => 'abc' }));
    expect((await post(`${url}/v1/completions`, { prompt: 'x', stop_token_ids: [5, 99] })).status).toBe(200);
    for (const stop_token_ids of ['x', [1.5], [-1], Array(2000).fill(1)]) {
      const { status, body } = await post(`${url}/v1/completions`, { prompt: 'x', stop_token_ids });
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ param: 'stop_token_ids' });
    }
  });

  it('bodies that are compressed or hold half a character are told so', async () => {
    const { url } = await start(new FakeEngine());
    const to = `${url}/v1/completions`;
    const packed = gzipSync(JSON.stringify({ prompt: 'x' }));
    for (const encoding of ['gzip', 'br', 'deflate, gzip']) {
      const { status, body } = await post(to, packed, { 'content-encoding': encoding });
      expect(status).toBe(415);
      expect(body.error).toMatchObject({ code: 'unsupported_encoding' });
    }
    expect((await post(to, { prompt: 'x' }, { 'content-encoding': 'identity' })).status).toBe(200);
    const halves = ['"\\ud800"', '"\\udc00\\ud800"', '["a","\\ud83dx"]', '"\\\\\\ud800"'];
    for (const prompt of halves) {
      const { status, body } = await post(to, `{"prompt":${prompt},"max_tokens":1}`);
      expect(status, prompt).toBe(400);
      expect(body.error).toMatchObject({ code: 'invalid_utf8' });
    }
    expect((await post(to, '{"prompt":"x","stop":["\\ud800"]}')).status).toBe(400);
    for (const prompt of ['"\\ud83e\\udd8a"', '"\\\\ud800"', '"🦊"']) {
      expect((await post(to, `{"prompt":${prompt},"max_tokens":1}`)).status, prompt).toBe(200);
    }
  });

  it('an id of a proxy’s is kept where it is short and printable', async () => {
    const { url } = await start(new FakeEngine());
    const answered = async (id: string): Promise<string | null> =>
      (await fetch(`${url}/health`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await answered('trace-123')).toBe('trace-123');
    for (const id of ['', 'a b', 'x'.repeat(129), 'é']) expect(await answered(id), id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('many choices of one request make no warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const { url } = await start(new FakeEngine());
    for (const stream of [false, true]) {
      const body = JSON.stringify({ prompt: 'x', n: 40, max_tokens: 3, stream });
      const headers = { 'content-type': 'application/json' };
      await (await fetch(`${url}/v1/completions`, { method: 'POST', headers, body })).text();
    }
    await pause(20);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('a connection is kept as long as it is to be', async () => {
    const { url } = await start(new FakeEngine(), { connectionIdleMs: 7000 });
    expect((await fetch(`${url}/health`)).headers.get('keep-alive')).toBe('timeout=7');
  });

  it('silent streams have a comment now and then', async () => {
    let go = (): void => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    const { url } = await start(new FakeEngine({ step: () => wait }), { keepAliveMs: 20 });
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', max_tokens: 1, stream: true }),
    });
    let text = '';
    for await (const bytes of response.body!) {
      text += Buffer.from(bytes as Uint8Array).toString();
      if (text.split(': waiting\n\n').length > 3) go();
    }
    expect(text).toMatch(/^(: waiting\n\n){3,}data: /);
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  it('tokens that are ready together go out in one event, none is lost, and no character is cut', async () => {
    const reply = 'Füchse 🦊 schlafen. '.repeat(40);
    const { url } = await start(new FakeEngine({ step: () => Promise.resolve(), reply: () => reply }));
    for (const logprobs of [undefined, 1]) {
      const response = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'x', max_tokens: 3000, stream: true, return_token_ids: true, logprobs }),
      });
      const found = (await events(response))
        .slice(0, -1)
        .map((text) => (JSON.parse(text) as { choices: [Chunk] }).choices[0]);
      expect(found.map(({ text }) => text).join('')).toBe(reply);
      const ids = found.flatMap(({ token_ids }) => token_ids ?? []);
      expect(Buffer.from(ids.slice(0, -1)).toString()).toBe(reply);
      expect(found.length).toBeLessThan(ids.length / 2);
      const told = found.flatMap((choice) => choice.logprobs?.tokens ?? []);
      expect(told.length).toBe(logprobs === undefined ? 0 : ids.length);
    }
  });

  it('a client that has shut its sending side gets its answer', async () => {
    const engine = new FakeEngine({ step: () => pause(5), reply: () => 'x'.repeat(30) });
    const { url } = await start(engine);
    for (const [stream, version] of [
      [false, '1.1'],
      [true, '1.1'],
      [false, '1.0'],
      [true, '1.0'],
    ] as const) {
      const body = JSON.stringify({ prompt: 'x', max_tokens: 30, stream });
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
      let text = '';
      socket.on('data', (data) => (text += data.toString()));
      socket.end(
        `POST /v1/completions HTTP/${version}\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await new Promise((resolve) => socket.on('close', resolve));
      expect(text).toContain('HTTP/1.1 200 OK');
      expect(text).toContain(stream ? '[DONE]' : `"text":"${'x'.repeat(30)}"`);
      // Chunks are of version 1.1.
      expect(/\r\n\r\n[0-9a-f]+\r\n/.test(text)).toBe(stream && version === '1.1');
    }
    await until(() => engine.running === 0);
    expect(engine.aborted).toBe(0);
  });
});

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { compileGrammar } from '../../src/grammar/index.js';
import type { GrammarCompiler } from '../../src/serving/engine.js';
import { FakeEngine } from './fake-engine.js';
import { post, start } from './support.js';

const TOOL = { type: 'function', function: { name: 'f' } };
const MESSAGES = [{ role: 'user', content: 'x' }];

/** Body, the field it is wrong in, and what the message says of it. */
const WRONG_CHATS: [object, string | null, RegExp][] = [
  [{}, 'messages', /expected array/],
  [{ messages: [] }, 'messages', /at least one/],
  [{ messages: [{ role: 'wizard', content: 'x' }] }, 'messages[0].role', /"system"/],
  [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content[0].type', /text part/],
  [{ messages: MESSAGES, temperature: 'hot' }, 'temperature', /expected number/],
  [{ messages: MESSAGES, temperature: -1 }, 'temperature', /from 0 to 100/],
  [{ messages: MESSAGES, top_p: 0 }, 'top_p', /above 0/],
  [{ messages: MESSAGES, n: 0 }, 'n', />=1/],
  [{ messages: MESSAGES, n: 9 }, 'n', /9 choices, and this server holds 4/],
  [{ messages: MESSAGES, max_tokens: 0 }, 'max_tokens', />=1/],
  [{ messages: MESSAGES, max_tokens: 1.5 }, 'max_tokens', /int/],
  [{ messages: MESSAGES, stop: [1] }, 'stop', /string/],
  [{ messages: MESSAGES, stop: '' }, 'stop', /empty/],
  [{ messages: MESSAGES, seed: 0.5 }, 'seed', /whole/],
  [{ messages: MESSAGES, top_logprobs: 3 }, 'top_logprobs', /"logprobs": true/],
  [{ messages: MESSAGES, logprobs: true, top_logprobs: 21 }, 'top_logprobs', /<=20/],
  [{ messages: MESSAGES, logit_bias: { word: 1 } }, 'logit_bias.word', /./],
  [{ messages: MESSAGES, logit_bias: { 9999: 1 } }, 'logit_bias', /vocabulary/],
  [{ messages: MESSAGES, stream_options: { include_usage: true } }, 'stream_options', /"stream": true/],
  [{ messages: MESSAGES, response_format: { type: 'xml' } }, 'response_format.type', /json_schema/],
  [{ messages: MESSAGES, response_format: { type: 'json_schema' } }, 'response_format.json_schema', /./],
  [{ messages: MESSAGES, tools: [{ type: 'function' }] }, 'tools[0].function', /expected object/],
  [{ messages: MESSAGES, tools: [{ type: 'custom', custom: {} }] }, 'tools[0].type', /only functions/],
  [
    { messages: MESSAGES, tools: [{ type: 'function', function: { name: 'a b' } }] },
    'tools[0].function.name',
    /letters/,
  ],
  [{ messages: MESSAGES, tools: [TOOL, TOOL] }, 'tools', /same name/],
  [{ messages: MESSAGES, tools: [TOOL] }, 'tools', /only text/],
  [{ messages: MESSAGES, tool_choice: 'required' }, 'tool_choice', /no tools/],
  [
    { messages: MESSAGES, tools: [TOOL], tool_choice: { type: 'function', function: { name: 'g' } } },
    'tool_choice',
    /no tool g/,
  ],
  [{ messages: MESSAGES, tools: [TOOL], tool_choice: 'any' }, 'tool_choice', /expected "none"/],
  [{ messages: MESSAGES, response_format: { type: 'json_object' }, guided_regex: 'a' }, 'guided_regex', /already/],
  [
    { messages: MESSAGES, continue_final_message: true, add_generation_prompt: true },
    'continue_final_message',
    /false/,
  ],
  [{ messages: MESSAGES, allowed_token_ids: [260] }, 'allowed_token_ids', /vocabulary/],
  [{ messages: MESSAGES, bad_words: [''] }, 'bad_words[0]', /./],
  [{ messages: MESSAGES, bad_words: Array(33).fill('x'.repeat(1000)) }, 'bad_words', /at most 32768 characters/],
  [{ messages: MESSAGES, guided_json: '['.repeat(65) }, 'guided_json', /^guided_json: the JSON in its texts is nested/],
  [{ messages: MESSAGES, guided_choice: [] }, 'guided_choice', /at least one/],
  [{ messages: MESSAGES, guided_choice: [1] }, 'guided_choice[0]', /expected string/],
  [{ messages: MESSAGES, chat_template_kwargs: [1] }, 'chat_template_kwargs', /expected an object/],
  [{ messages: MESSAGES, min_tokens: 5, max_tokens: 4 }, 'min_tokens', /more than max_tokens 4/],
  [{ messages: MESSAGES, functions: [{ name: 'x' }] }, 'functions', /only text/],
  [{ messages: MESSAGES, modalities: ['audio'] }, 'modalities', /only text/],
];

const WRONG_COMPLETIONS: [object, string, RegExp][] = [
  [{}, 'prompt', /expected text/],
  [{ prompt: [] }, 'prompt', /expected text/],
  [{ prompt: ['a', 1] }, 'prompt', /expected text/],
  [{ prompt: [-1] }, 'prompt', /expected text/],
  [{ prompt: 'x', best_of: 3 }, 'best_of', /not supported/],
  [{ prompt: 'x', suffix: 'y' }, 'suffix', /not supported/],
  [{ prompt: [260] }, 'prompt', /vocabulary/],
  [{ prompt: 'x', max_tokens: -1 }, 'max_tokens', />=0/],
];

describe('a wrong request', () => {
  it('is told which field is wrong, in a 400', async () => {
    const { url } = await start(new FakeEngine(), { capacity: 4 });
    const cases = [
      ...WRONG_CHATS.map((wrong) => ['chat/completions', ...wrong] as const),
      ...WRONG_COMPLETIONS.map((wrong) => ['completions', ...wrong] as const),
    ];
    for (const [path, request, param, message] of cases) {
      const { status, body } = await post(`${url}/v1/${path}`, request);
      const what = JSON.stringify(request);
      expect(status, what).toBe(400);
      expect(body.error, what).toMatchObject({ type: 'invalid_request_error', param });
      expect(body.error.message, what).toMatch(message);
    }
  });

  it('has a body that is JSON in UTF-8, not too large, not too deep', async () => {
    const { url } = await start(new FakeEngine(), { bodyLimit: 2000 });
    const to = `${url}/v1/completions`;
    expect((await post(to, '{"prompt": "secret')).body.error).toMatchObject({ code: 'invalid_json', param: null });
    expect((await post(to, '{"prompt": secret}')).body.error.message).not.toContain('secret');
    expect((await post(to, '')).status).toBe(400);
    expect((await post(to, '[1]')).body.error.message).toContain('JSON object');
    const invalid = Uint8Array.from([...Buffer.from('{"prompt":"'), 0xc3, 0x28, ...Buffer.from('"}')]);
    expect((await post(to, invalid)).body.error).toMatchObject({ code: 'invalid_utf8' });
    const deep = await post(to, `{"prompt":"x","x":${'['.repeat(500)}${']'.repeat(500)}}`);
    expect(deep).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('nested') as string } },
    });
    const large = await post(to, { prompt: 'x'.repeat(3000) });
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'request_too_large' } } });
    const form = await fetch(to, { method: 'POST', body: 'prompt=x', headers: { 'content-type': 'text/plain' } });
    expect(form.status).toBe(415);
    expect(await form.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('may be large without a length, and is cut off all the same', async () => {
    const { url } = await start(new FakeEngine(), { bodyLimit: 2000 });
    const status = await new Promise((resolve, reject) => {
      const outgoing = httpRequest(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      });
      outgoing.on('response', (response) => resolve(response.statusCode)).on('error', reject);
      for (let i = 0; i < 10; i++) outgoing.write('x'.repeat(1000));
    });
    expect(status).toBe(413);
  });

  it('is larger by megabytes and sent to its end, and has its answer all the same', async () => {
    const { url } = await start(new FakeEngine(), { bodyLimit: 2000 });
    const bytes = 8 << 20;
    const head = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
    const next = 'GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
        socket.write(head);
        socket.write(Buffer.alloc(bytes, 'x'));
        socket.write(next);
      });
      socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('asks for a model, a route or a method there is not', async () => {
    const { url } = await start(new FakeEngine());
    const model = await post(`${url}/v1/chat/completions`, { model: 'gpt', messages: MESSAGES });
    expect(model).toMatchObject({ status: 404, body: { error: { code: 'model_not_found', param: 'model' } } });
    expect(await post(`${url}/v1/pictures`, {})).toMatchObject({
      status: 404,
      body: { error: { type: 'not_found_error', code: 'unknown_url' } },
    });
    const method = await fetch(`${url}/v1/completions?x=1`);
    expect(method.status).toBe(405);
    expect(method.headers.get('allow')).toBe('POST');
    const path = await fetch(`${url}/%zz`);
    expect(path.status).toBe(400);
    expect(await path.json()).toHaveProperty('error.message');
  });

  it('names a model of megabytes, which is not sent back whole', async () => {
    const { url } = await start(new FakeEngine());
    const { status, body } = await post(`${url}/v1/chat/completions`, { model: '😀'.repeat(1e6), messages: MESSAGES });
    expect([status, body.error.message.length < 1000]).toEqual([404, true]);
    expect(body.error.message).toContain('…');
  });

  it('is not HTTP at all', async () => {
    const { url } = await start(new FakeEngine());
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write('hello\r\n\r\n'));
      socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request/);
    expect(answer).toContain('"error"');
  });

  it('has a prompt that cannot fit: both numbers are named, and nothing is cut off', async () => {
    const engine = new FakeEngine({ contextLength: 100 });
    const { url } = await start(engine);
    const to = `${url}/v1/completions`;
    for (const [request, numbers] of [
      [{ prompt: 'x'.repeat(120) }, /121 tokens.* 100 tokens/],
      [{ prompt: 'x'.repeat(90), max_tokens: 20 }, /91 tokens.* 20, .* 100 tokens.* at most 9/],
      [{ prompt: 'x'.repeat(5000) }, /5000 bytes.* at least 1000 tokens.* 100 tokens/],
      [{ prompt: Array(200).fill(1) }, /200 tokens/],
    ] as const) {
      const { status, body } = await post(to, request);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ code: 'context_length_exceeded', param: 'prompt' });
      expect(body.error.message).toMatch(numbers);
    }
    expect(engine.calls).toHaveLength(0);
  });
});

it('a prompt that the KV cache cannot hold is too long like one that the context cannot', async () => {
  const engine = new FakeEngine({ contextLength: 100, kvCacheTokens: 48 });
  const { url } = await start(engine);
  for (const [request, message] of [
    [{ prompt: 'x'.repeat(60) }, /61 tokens, and the server's KV cache has room for 48 tokens/],
    [{ prompt: 'x'.repeat(40), max_tokens: 9 }, /41 tokens .* 9, but the server's KV cache .* at most 8/],
  ] as const) {
    const { status, body } = await post(`${url}/v1/completions`, request);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'context_length_exceeded', param: 'prompt' });
    expect(body.error.message).toMatch(message);
  }
  expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({ data: [{ max_model_len: 49 }] });
  expect((await post(`${url}/v1/completions`, { prompt: 'x'.repeat(40), max_tokens: 8 })).status).toBe(200);
});

describe('a name that was rebound', () => {
  const statusAs = (url: string, host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      httpRequest(`${url}/v1/models`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
        .on('error', reject)
        .end();
    });

  it('is not one the server is asked under, unless it was allowed', async () => {
    const { url } = await start(new FakeEngine(), { allowedHosts: ['box.example'] });
    const good = ['localhost', 'localhost:8000', 'LOCALHOST', 'a.localhost', '127.0.0.1:9', '[::1]:8000', '10.0.0.7'];
    for (const host of [...good, 'box.example', 'Box.example:80']) expect(await statusAs(url, host), host).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil.example:8000']) {
      expect(await statusAs(url, host), host).toBe(403);
    }
    const any = await start(new FakeEngine(), { allowedHosts: ['*'] });
    expect(await statusAs(any.url, 'evil.example')).toBe(200);
  });
});

describe('a schema', () => {
  it('is compiled once, and so is what is refused', async () => {
    const compiled: unknown[] = [];
    const compileGrammar: GrammarCompiler = (grammar) => {
      const schema = grammar.kind === 'json' ? grammar.schema : grammar;
      compiled.push(schema);
      if (schema === false) throw new RidgepointError('usage', 'nothing fits');
      return { create: () => ({ allowed: () => new Uint32Array(9).fill(0xffffffff), accept: () => undefined }) };
    };
    const { url } = await start(new FakeEngine(), { compileGrammar });
    const ask = async (schema: unknown): Promise<number> => {
      const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
      return (await post(`${url}/v1/completions`, { prompt: 'x', response_format: format })).status;
    };
    expect(compiled).toEqual([undefined]); // any object, before anybody asks
    for (let i = 0; i < 3; i++) expect(await ask({ const: 'again' })).toBe(200);
    for (let i = 0; i < 3; i++) expect(await ask(false)).toBe(400);
    expect(compiled).toHaveLength(3);
    for (let i = 0; i < 31; i++) {
      await ask({ const: i });
      await ask({ const: 'again' });
    }
    expect(compiled).toHaveLength(34);
    expect(await ask({ const: 30 })).toBe(200);
    expect(compiled).toHaveLength(34);
    expect(await ask(false)).toBe(400); // the longest unused has been forgotten
    expect(compiled).toHaveLength(35);
    expect(await ask({ const: 'x'.repeat(140_000) })).toBe(400);
    expect(compiled).toHaveLength(35);
  });

  it('that takes too much work is refused, before or while its text is written', async () => {
    const { url } = await start(new FakeEngine({ reply: () => '"aaaaaaaa"' }), {
      compileGrammar,
    });
    for (const part of ['.?', 'a?']) {
      const schema = { type: 'string', pattern: `^${part.repeat(900)}${'a'.repeat(900)}$` };
      const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
      const { status, body } = await post(`${url}/v1/completions`, { prompt: 'x', response_format: format });
      expect(status).toBe(400);
      expect(body.error.message).toContain('takes too much work');
    }
    expect((await post(`${url}/v1/completions`, { prompt: 'x' })).status).toBe(200);
  });
});

describe('a key', () => {
  it('is asked of everybody but a load balancer', async () => {
    const { url } = await start(new FakeEngine(), { apiKeys: ['one', 'two'] });
    const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const routes = ['/v1/models', '/metrics', '/nothing'];
    for (const route of routes) {
      for (const headers of [{}, bearer('three'), bearer(''), { headers: { authorization: 'Basic one' } }]) {
        const response = await fetch(`${url}${route}`, headers);
        expect(response.status, route).toBe(401);
        expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
      }
    }
    expect((await fetch(`${url}/v1/models`, bearer('one'))).status).toBe(200);
    expect((await fetch(`${url}/v1/models`, bearer('two'))).status).toBe(200);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    // before the body is read, let alone parsed
    expect((await post(`${url}/v1/completions`, 'no JSON')).status).toBe(401);
  });
});

describe('web pages', () => {
  it('may not call unless their origin was named', async () => {
    const preflight = (url: string, origin: string) =>
      fetch(`${url}/v1/completions`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      });
    const closed = await start(new FakeEngine());
    expect((await preflight(closed.url, 'https://a.example')).headers.get('access-control-allow-origin')).toBeNull();
    const opened = await start(new FakeEngine(), { corsOrigins: ['https://a.example'], apiKeys: ['key'] });
    const allowed = await preflight(opened.url, 'https://a.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://a.example');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization');
    expect((await preflight(opened.url, 'https://b.example')).headers.get('access-control-allow-origin')).toBeNull();
    const streamed = await fetch(`${opened.url}/v1/completions`, {
      method: 'POST',
      headers: { origin: 'https://a.example', authorization: 'Bearer key', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', stream: true }),
    });
    expect(streamed.headers.get('access-control-allow-origin')).toBe('https://a.example');
    expect(streamed.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await streamed.text();
  });
});

describe('a failure of ours', () => {
  it('is a 500 that says no more than it should, or an event in a stream', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    engine.stepFailure = new Error('secret place in memory');
    const whole = await post(`${url}/v1/completions`, { prompt: 'x' });
    expect(whole).toMatchObject({ status: 500, body: { error: { type: 'server_error' } } });
    expect(JSON.stringify(whole.body)).not.toContain('secret');
    engine.stepFailure = new RidgepointError('device', 'the device was lost');
    const streamed = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', n: 3, stream: true }),
    });
    const text = await streamed.text();
    expect(text).toContain('"error":{"message":"the device was lost"');
    expect(text).not.toContain('[DONE]');
    engine.stepFailure = undefined;
    expect((await post(`${url}/v1/completions`, { prompt: 'x' })).status).toBe(200);
  });

  it('that nothing can follow shows in /health', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine, { apiKeys: ['key'] });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    engine.failure = new RidgepointError('device', 'the GPU device was lost (hung)');
    const response = await fetch(`${url}/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { message: 'the GPU device was lost (hung)', type: 'server_error', code: 'engine_failed' },
    });
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { OpenAiServer, type OpenAiServerOptions } from '../../../bench/serve/drivers/openai-driver.js';
import { wordTokens } from '../../../bench/serve/drivers/prompt-words.js';
import { EventParser } from '../../../bench/serve/drivers/sse.js';
import { wallClock } from '../../../bench/serve/load/clock.js';
import type { LoadRecord } from '../../../src/traffic/record.js';
import { runLoad } from '../../../bench/serve/load/run-load.js';
import type { PlannedRequest } from '../../../src/traffic/workload.js';

describe('server-sent events', () => {
  const stream =
    ': hello\r\n\r\ndata: {"text":"größe 🐐"}\n\nevent: x\ndata: a\ndata: b\r\n\r\nid: 7\n\ndata:c\n\ndata\n\n';
  const wanted = ['{"text":"größe 🐐"}', 'a\nb', 'c', ''];
  test('are the same however the bytes are cut', () => {
    const bytes = new TextEncoder().encode(stream);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const parser = new EventParser();
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const events = at.slice(1).flatMap((end, index) => parser.push(bytes.slice(at[index], end)));
        expect(events).toEqual(wanted);
      }),
    );
  });
});

test('how a server counts words follows from two texts', () => {
  expect(wordTokens([16, 25], [112, 169])).toEqual({ perWord: 1.5, base: 1 });
  expect(wordTokens([16, 30], [112, 30]).perWord).toBe(1.3);
});

interface Body {
  model: string;
  prompt?: string | number[];
  messages?: { content: string }[];
  max_tokens: number;
  stream?: boolean;
  seed?: number;
  ignore_eos?: boolean;
}
type Stream = (body: Body, response: ServerResponse, request: IncomingMessage) => Promise<void> | void;

const open: { close: () => void }[] = [];
afterEach(() => open.splice(0).forEach((each) => each.close()));

/** A server of the protocol: two tokens a word and three more; `stream` answers what is streamed. */
async function serve(stream: Stream, extra: Record<string, unknown> = { max_model_len: 300 }) {
  const seen: { body: Body; path: string; key: string | undefined; port: number | undefined }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/v1/models') return response.end(JSON.stringify({ data: [{ id: 'm1', ...extra }] }));
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
      seen.push({ body, path: request.url!, key: request.headers.authorization, port: request.socket.remotePort });
      const text = body.messages?.[0].content ?? body.prompt!;
      const count = typeof text === 'string' ? 2 * text.split(' ').length + 3 : text.length;
      if (!body.stream) return response.end(JSON.stringify({ usage: { prompt_tokens: count } }));
      await stream(body, response, request);
      return undefined;
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const options = (baseUrl: string, changes: Partial<OpenAiServerOptions> = {}): OpenAiServerOptions => ({
  ...{ baseUrl, endpoint: 'completions', temperature: 1, ignoreEos: false },
  ...changes,
});

const event = (response: ServerResponse, data: object): boolean => response.write(`data: ${JSON.stringify(data)}\n\n`);

/** Answers with as many tokens as asked for, one every two milliseconds. */
const answer: Stream = async (body, response) => {
  const words = (body.prompt as string).split(' ').length;
  for (let token = 0; token < body.max_tokens; token++) {
    await delay(2);
    event(response, { choices: [{ text: 'x', finish_reason: null }] });
  }
  event(response, { choices: [{ text: '', finish_reason: 'length' }] });
  event(response, { choices: [], usage: { prompt_tokens: 2 * words + 3, completion_tokens: body.max_tokens } });
  response.end('data: [DONE]\n\n');
};

async function load(server: OpenAiServer, count: number, request: Partial<PlannedRequest> = {}): Promise<LoadRecord> {
  const requests = Array.from({ length: count }, (_, index) => ({
    ...{ index, atMs: 0, promptTokens: 43, outputTokens: 4 },
    ...request,
  }));
  const workload = { seed: 1, sharedPrefix: 0, requests };
  return runLoad(workload, server.driver(workload), { clock: wallClock, maxConcurrency: 2 });
}

async function opened(...args: Parameters<typeof options>): Promise<OpenAiServer> {
  const server = await OpenAiServer.open(options(...args));
  open.push(server);
  return server;
}

describe('a server', () => {
  test('is asked for its model, its context and its way to count; connections are kept', async () => {
    const { url, seen } = await serve(answer);
    const server = await opened(`${url}/v1/`, { apiKey: 'secret', ignoreEos: true });
    expect(server).toMatchObject({ model: 'm1', contextLength: 300, note: undefined });
    const record = await load(server, 6);
    for (const request of record.requests) {
      expect(request).toMatchObject({ status: 'completed', promptTokens: 43, outputTokens: 4, finish: 'length' });
      expect(request.arrivalsMs).toHaveLength(4);
      expect(request.arrivalsMs[3]).toBeGreaterThan(request.arrivalsMs[0]);
    }
    expect(new Set(seen.map(({ key }) => key))).toEqual(new Set(['Bearer secret']));
    const sent = seen.filter(({ body }) => body.stream);
    expect(sent[0].body).toMatchObject({ model: 'm1', max_tokens: 4, ignore_eos: true });
    expect(new Set(sent.map(({ body }) => body.prompt)).size).toBe(6);
    expect(new Set(seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
  });

  test('of chats: the role that comes first is no token', async () => {
    const { url, seen } = await serve(async (_, response) => {
      event(response, { choices: [{ delta: { role: 'assistant', content: '' } }] });
      await delay(30);
      event(response, { choices: [{ delta: { content: 'a' } }] });
      event(response, { choices: [{ delta: { content: 'b' }, finish_reason: 'stop' }] });
      response.end('data: [DONE]\n\n');
    });
    const record = await load(await opened(url, { endpoint: 'chat' }), 1);
    expect(record.requests[0]).toMatchObject({ status: 'completed', outputTokens: 2, finish: 'stop' });
    expect(record.requests[0].arrivalsMs[0]).toBeGreaterThan(25);
    expect(seen.at(-1)!.path).toBe('/v1/chat/completions');
    expect(seen.at(-1)!.body).not.toHaveProperty('ignore_eos');
  });

  test('takes ids of exact length, and says how many came at once', async () => {
    const { url, seen } = await serve((_, response) => {
      event(response, { choices: [{ text: 'ab', token_ids: [1, 2] }] });
      event(response, { choices: [{ text: '', token_ids: [3], finish_reason: 'length' }] });
      response.end('data: [DONE]\n\n');
    });
    const record = await load(await opened(url, { vocab: 50 }), 1);
    expect(record.requests[0]).toMatchObject({ outputTokens: 3, counts: [2, 1] });
    expect(seen[0].body.prompt).toHaveLength(43);
    expect(Math.max(...(seen[0].body.prompt as number[]))).toBeLessThan(50);
    await expect(OpenAiServer.open(options(url, { vocab: 50, endpoint: 'chat' }))).rejects.toThrow('--vocab-size');
  });

  test('an aborted request is closed at the server', async () => {
    let closed = 0;
    const { url } = await serve((body, response) => {
      response.on('close', () => closed++);
      const timer = setInterval(() => event(response, { choices: [{ text: 'x' }] }), 2);
      response.on('close', () => clearInterval(timer));
      void body;
    });
    const record = await load(await opened(url), 3, { abort: { afterTokens: 3 } });
    expect(record.requests.map(({ status }) => status)).toEqual(['aborted', 'aborted', 'aborted']);
    await delay(50);
    expect(closed).toBe(3);
  });

  test.each<readonly [string, Stream, string]>([
    [
      'a status with a message',
      (_, response) => void response.writeHead(429).end('{"error":{"message":"too many"}}'),
      'HTTP 429: too many',
    ],
    [
      'a status with a page',
      (_, response) => void response.writeHead(502).end('<h1>Bad\n gateway</h1>'),
      'HTTP 502: <h1>Bad gateway</h1>',
    ],
    [
      'an error in the stream',
      (_, response) => {
        event(response, { choices: [{ text: 'x' }] });
        event(response, { error: { message: 'out of memory' } });
        response.end();
      },
      'out of memory',
    ],
    ['what is no JSON', (_, response) => void response.end('data: {"choices\n\n'), 'an event is no JSON: {"choices'],
    ['another shape', (_, response) => void response.end('data: {"choices":5}\n\n'), 'an event is not as expected'],
    [
      'an answer cut short',
      (_, response) => {
        event(response, { choices: [{ text: 'x' }] });
        response.end();
      },
      'the stream ended before the answer did',
    ],
    [
      'a connection cut',
      async (_, response) => {
        event(response, { choices: [{ text: 'x' }] });
        await delay(10);
        response.destroy();
      },
      'aborted',
    ],
  ])('%s is a failure of that request alone', async (_, stream, message) => {
    const { url } = await serve((body, response, request) =>
      body.seed === 1 ? stream(body, response, request) : answer(body, response, request),
    );
    const record = await load(await opened(url), 3);
    expect(record.requests.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed']);
    expect(record.requests[1].error).toContain(message);
  });

  test('what cannot be reached, or is no address, is said at once', async () => {
    await expect(OpenAiServer.open(options('http://127.0.0.1:1'))).rejects.toThrow(/--base-url http.*ECONNREFUSED/);
    await expect(OpenAiServer.open(options('localhost'))).rejects.toThrow('--base-url must be an address');
    for (const address of [
      'http://me:SECRET@127.0.0.1:9',
      'http://SECRET@127.0.0.1:9',
      'http://127.0.0.1:9/v1?key=SECRET',
    ]) {
      const message = await OpenAiServer.open(options(address)).catch((error: Error) => error.message);
      expect(message).toMatch(/^--base-url must be an address without a name, password or query/);
      expect(message).not.toContain('SECRET');
    }
    const { url } = await serve(answer, { id: undefined });
    await expect(OpenAiServer.open(options(url))).rejects.toThrow('--base-url');
    expect((await opened(url, { model: 'm2' })).model).toBe('m2');
  });
});

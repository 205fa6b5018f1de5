import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.js';
import { pause, post, start, until } from './support.js';

const slow = (ms: number) => ({ step: () => pause(ms), reply: () => 'x'.repeat(4000) });

/** Sends a request over a bare socket, which reads only when it is told to. */
function bare(url: string, body: object): Socket {
  const text = JSON.stringify(body);
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  return socket;
}

describe('a client that leaves', () => {
  it.each([true, false])('ends its generations, all of them (stream: %s), and nobody else’s', async (stream) => {
    const engine = new FakeEngine(slow(2));
    const { url, server } = await start(engine);
    const other = post(`${url}/v1/completions`, { prompt: 'other', max_tokens: 100 });
    const leaver = new AbortController();
    const left = fetch(`${url}/v1/completions`, {
      method: 'POST',
      signal: leaver.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'leaves', n: 3, max_tokens: 4000, stream }),
    }).then((response) => response.text());
    left.catch(() => undefined);
    await until(() => engine.running === 4);
    leaver.abort();
    await expect(left).rejects.toThrow();
    await until(() => engine.aborted === 3);
    expect((await other).body.choices[0].text).toHaveLength(100);
    expect(engine.aborted).toBe(3);
    const metrics = (await server.app.inject('/metrics')).body;
    expect(metrics).toMatch(/request_success_total\{finished_reason="abort".*\} 3/);
    expect(metrics).toMatch(/http_responses_total\{route="\/v1\/completions",status="499".*\} 1/);
    expect(metrics).toMatch(/num_choices_in_flight\{.*\} 0/);
  });

  it('before its place in the engine was taken leaves nothing behind', async () => {
    const engine = new FakeEngine(slow(1));
    const { url } = await start(engine);
    for (let i = 0; i < 20; i++) bare(url, { prompt: 'x', max_tokens: 4000, stream: i % 2 === 0 }).destroy();
    await pause(50);
    await until(() => engine.running === 0);
    expect((await post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 3 })).status).toBe(200);
  });
});

describe('a slow reader', () => {
  it('does not hold up its generation, and gets every byte in the end', async () => {
    const text = 'é'.repeat(20_000);
    const engine = new FakeEngine({ reply: () => text, contextLength: 100_000 });
    const { url } = await start(engine);
    const socket = bare(url, { prompt: 'x', max_tokens: 90_000, stream: true });
    await until(() => engine.calls.length === 1 && engine.running === 0, 600_000);
    // The kernel takes a few megabytes; the rest waits in the request, not in the socket.
    const received: string[] = [];
    socket
      .setEncoding('utf8')
      .on('data', (data: string) => received.push(data))
      .resume();
    await until(() => received.slice(-2).join('').includes('[DONE]'), 600_000);
    const pieces = [...received.join('').matchAll(/"text":"([^"]*)"/g)].map((match) => match[1]);
    expect(pieces.join('')).toBe(text);
    socket.destroy();
  });

  it('that reads nothing is cut off after a while', async () => {
    const engine = new FakeEngine({ reply: () => 'x'.repeat(60_000), contextLength: 100_000 });
    const { url, server } = await start(engine, { stallTimeoutMs: 1500, capacity: 1 });
    const socket = bare(url, { prompt: 'x', max_tokens: 90_000, stream: true });
    await until(() => engine.calls.length === 1);
    expect((await post(`${url}/v1/completions`, { prompt: 'x' })).status).toBe(429);
    while (!/num_choices_in_flight\{.*\} 0/.test((await server.app.inject('/metrics')).body)) await pause(10);
    expect((await post(`${url}/v1/completions`, { prompt: 'x' })).status).toBe(200);
    socket.destroy();
  });
});

describe('a time limit', () => {
  it('ends a request with a 504 that is not to be tried again', async () => {
    const engine = new FakeEngine(slow(5));
    const { url } = await start(engine, { requestTimeoutMs: 1000 });
    const whole = await post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 4000 });
    expect(whole).toMatchObject({ status: 504, body: { error: { code: 'request_timeout' } } });
    expect(whole.headers.get('x-should-retry')).toBe('false');
    const streamed = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', max_tokens: 4000, stream: true }),
    });
    const text = await streamed.text();
    expect(text).toContain('"text":"x"');
    expect(text.trimEnd().split('\n\n').at(-1)).toContain('request_timeout');
    await until(() => engine.running === 0);
  });
});

describe('a full queue', () => {
  it('turns away with 429 and takes again when there is room', async () => {
    const engine = new FakeEngine(slow(2));
    const { url } = await start(engine, { capacity: 3 });
    const first = post(`${url}/v1/completions`, { prompt: 'x', n: 2, max_tokens: 50 });
    await until(() => engine.running === 2);
    const second = await post(`${url}/v1/completions`, { prompt: 'x', n: 2 });
    expect(second).toMatchObject({ status: 429, body: { error: { type: 'rate_limit_error', code: 'queue_full' } } });
    expect(second.headers.get('retry-after')).toBe('1');
    expect((await post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 1 })).status).toBe(200);
    await first;
    expect((await post(`${url}/v1/completions`, { prompt: 'x', n: 3, max_tokens: 1 })).status).toBe(200);
  });

  it('gives places back whatever became of a request', async () => {
    const { url } = await start(new FakeEngine(), { capacity: 1 });
    const to = `${url}/v1/completions`;
    for (let i = 0; i < 5; i++) {
      expect((await post(to, { prompt: 'x', temperature: -1 })).status).toBe(400);
      expect((await post(to, { prompt: 'x'.repeat(9000) })).status).toBe(400);
      expect((await post(to, { prompt: 'x', stop: '' })).status).toBe(400);
    }
    expect((await post(to, { prompt: 'x' })).status).toBe(200);
  });
});

describe('shutdown', () => {
  it('finishes what runs, whole and streamed, and takes nothing new', async () => {
    const engine = new FakeEngine(slow(2));
    const { url, server } = await start(engine);
    const whole = post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 60 });
    const streamed = fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', max_tokens: 60, stream: true }),
    });
    await until(() => engine.running === 2);
    const kept = bare(url, { prompt: 'x', max_tokens: 1 });
    await until(() => engine.calls.length === 3 && engine.running === 2);
    const down = server.shutdown(3_600_000); // it ends when all is done, not then
    await expect(post(`${url}/v1/completions`, { prompt: 'x' })).rejects.toThrow();
    expect((await whole).body.choices[0].text).toHaveLength(60);
    expect(await (await streamed).text()).toContain('[DONE]');
    await down;
    expect(engine.aborted).toBe(0);
    kept.destroy();
  });

  it('ends what is not done in time, and says so', async () => {
    const engine = new FakeEngine(slow(5));
    const { url, server } = await start(engine);
    const whole = post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 4000 });
    const streamed = fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', max_tokens: 4000, stream: true }),
    }).then((response) => response.text());
    await until(() => engine.running === 2);
    await server.shutdown(50);
    expect(await whole).toMatchObject({ status: 503, body: { error: { code: 'server_shutdown' } } });
    expect(await streamed).toContain('server_shutdown');
    expect(engine.running).toBe(0);
  });
});

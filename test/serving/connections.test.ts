import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { lastWord } from '../../src/server/http/send-queue.js';
import { FakeEngine } from './fake-engine.js';
import { bare, inFlight, pause, post, start, until, wire } from './support.js';

describe('a connection that closes', () => {
  it('at whatever moment leaves no place taken and nothing that generates', async () => {
    const engine = new FakeEngine({ step: () => pause(1), reply: () => 'x'.repeat(3000) });
    const { url, server } = await start(engine, { capacity: 500 });
    const whole = wire({ max_tokens: 2000 });
    const stream = wire({ max_tokens: 2000, stream: true, n: 2 });
    const head = whole.indexOf('\r\n\r\n') + 4;
    const sent = [
      ...[10, head - 2, head, head + 5, whole.length - 1].map((end) => whole.slice(0, end)),
      whole,
      stream,
      whole.repeat(4),
      stream.repeat(3),
      stream + whole + stream,
      whole + whole.slice(0, head + 3),
      whole + 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n' + stream,
      whole + 'no HTTP at all\r\n\r\n',
    ];
    const ways = [
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => {
        socket.end();
        setTimeout(() => socket.destroy(), 30);
      },
      (socket: Socket) => {
        socket.resume();
        setTimeout(() => socket.destroy(), 10);
      },
    ];
    const sockets: Promise<void>[] = [];
    for (const bytes of sent) {
      for (const close of ways) {
        for (const after of [0, 2, 60]) {
          const socket = bare(url);
          socket.pause();
          sockets.push(
            new Promise((resolve) => {
              socket.on('close', () => resolve());
              socket.on('connect', () => {
                socket.write(bytes);
                if (after === 0) close(socket);
                else setTimeout(() => close(socket), after);
              });
            }),
          );
        }
      }
      await Promise.all(sockets.splice(0));
    }
    await until(() => engine.running === 0, 600_000);
    while ((await inFlight(server)) > 0) await pause(25);
    expect(await inFlight(server)).toBe(0);
    expect(engine.running).toBe(0);
    // On a busy machine many have left before their generation begins.
    expect(engine.aborted).toBeGreaterThan(10);
    const { status } = await post(`${url}/v1/completions`, { prompt: 'x', n: 100, max_tokens: 1 });
    expect(status).toBe(200);
  });

  it('gives back the places of requests that were sent ahead on it', async () => {
    const engine = new FakeEngine({ step: () => pause(2), reply: () => 'x'.repeat(4000) });
    const { url, server } = await start(engine, { capacity: 12 });
    for (let round = 0; round < 3; round++) {
      const socket = bare(url);
      socket.write(wire({ max_tokens: 3000 }).repeat(12));
      await until(() => engine.running === 12);
      socket.destroy();
      await until(() => engine.running === 0);
      while ((await inFlight(server)) > 0) await pause(5);
    }
    expect(engine.aborted).toBe(36);
    expect((await post(`${url}/v1/completions`, { prompt: 'x', n: 12, max_tokens: 1 })).status).toBe(200);
  });
});

it('streams that were cut are logged and counted as what they were', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } };
  const line = async (): Promise<Record<string, unknown>> => {
    await until(() => lines.some(({ msg }) => msg === 'request'));
    return lines.splice(0).find(({ msg }) => msg === 'request')!;
  };
  const cost = { promptTokens: 2, completionTokens: expect.any(Number) as number, finishReason: 'abort' };
  const engine = new FakeEngine({ step: () => pause(3), reply: () => 'x'.repeat(4000) });
  const registries: Registry[] = [];
  const instrument = (registry: Registry): void => void registries.push(registry);
  const { url, server } = await start(engine, { logger, instrument });
  const hurried = await start(engine, { requestTimeoutMs: 150, logger, instrument });
  const counted = async (registry: Registry): Promise<object> =>
    Object.fromEntries(
      [...(await registry.metrics()).matchAll(/http_responses_total\{.*status="(\d+)".*\} (\d+)/g)].map(
        ([, status, count]) => [status, Number(count)],
      ),
    );
  const ask = (signal?: AbortSignal, at = url) =>
    fetch(`${at}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x', max_tokens: 4000, stream: true }),
      signal,
    });
  await (await ask(undefined, hurried.url)).text();
  expect(await line()).toMatchObject({ status: 504, cut: 'time limit', client: '127.0.0.1', choices: [cost] });
  const leaver = new AbortController();
  const left = ask(leaver.signal).then((response) => response.text());
  left.catch(() => undefined);
  await until(() => engine.running === 1);
  await pause(20);
  leaver.abort();
  expect(await line()).toMatchObject({ status: 499, cut: 'client gone', client: '127.0.0.1', choices: [cost] });
  const failing = ask();
  await until(() => engine.running === 1);
  engine.stepFailure = new Error('secret');
  await (await failing).text();
  await until(() => lines.some(({ msg }) => msg === 'request'));
  expect(lines.splice(0).find(({ msg }) => msg === 'request')).toMatchObject({ status: 500, cut: 'failure' });
  engine.stepFailure = undefined;
  const last = ask();
  await until(() => engine.running === 1);
  await pause(20);
  const text = last.then((response) => response.text());
  await server.shutdown(10);
  expect(await text).toContain('server_shutdown');
  expect(await line()).toMatchObject({ status: 503, cut: 'shutdown', choices: [cost] });
  // What was counted can be read once the server is closed, too.
  expect(await counted(registries[1])).toEqual({ '504': 1 });
  expect(await counted(registries[0])).toEqual({ '499': 1, '500': 1, '503': 1 });
});

it('addresses are written as the kernel lists them', () => {
  expect(lastWord('127.0.0.1')).toBe('0100007F');
  expect(lastWord('::ffff:10.1.2.3')).toBe('0302010A');
  expect(lastWord('::1')).toBe('01000000');
  expect(lastWord('fe80::1:2ab%eth0')).toBe('AB020100');
});

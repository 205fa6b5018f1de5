import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { holdPort } from '../../src/server/loading.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it('answers who has connected before the port is given back, and gives it back free', async () => {
  const port = await freePort();
  const { release } = await holdPort('127.0.0.1', port);
  const sockets = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
  for (let turns = 0; turns < 5; turns++) await turn(); // until the server has taken them
  const answers = sockets.map(async (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(socket, 'close');
    return text;
  });
  for (const socket of sockets) socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await release();
  for (const text of await Promise.all(answers)) {
    expect(text).toContain('HTTP/1.1 503');
    expect(text).toContain('the model is being loaded');
  }
  await (await holdPort('127.0.0.1', port)).release();
});

it('does not wait for a connection that says nothing', async () => {
  const port = await freePort();
  const { release } = await holdPort('127.0.0.1', port);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await Promise.all([release(), closed]);
  expect(socket.destroyed).toBe(true);
});

it('tells how far loading is', async () => {
  const port = await freePort();
  const { report, release } = await holdPort('127.0.0.1', port);
  const asked = async (path = '/health', request?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, request);
    return {
      status: response.status,
      retry: response.headers.get('retry-after'),
      body: (await response.json()) as unknown,
    };
  };
  const error = { type: 'server_error', param: null, code: 'loading' };
  const nothing = { status: 503, retry: '2', body: { status: 'loading', error, progress: [] } };
  expect(await asked()).toMatchObject(nothing);
  // A request is not left waiting either, and may come again.
  expect(await asked('/v1/completions', { method: 'POST', body: '{"prompt":"x"}' })).toMatchObject(nothing);
  const total = 8_000_000;
  for (const done of [0, 3_300_000])
    report({ stage: 'weights', item: 'model.norm.weight', done, total, unit: 'bytes' });
  report({ stage: 'pipelines', item: 'rope', done: 1, total: 9, unit: 'pipelines' });
  expect((await asked()).body).toEqual({
    status: 'loading',
    error: { ...error, message: 'the model is being loaded: 41 % of its weights' },
    progress: [
      { stage: 'weights', done: 3_300_000, total, unit: 'bytes' },
      { stage: 'pipelines', done: 1, total: 9, unit: 'pipelines' },
    ],
  });
  await release();
});

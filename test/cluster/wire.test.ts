import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PairedEngine } from '../../src/cluster/embedded.js';
import { jsonBytes, send } from '../../src/platform/node/wire/hello.js';
import { WorkerPort } from '../../src/platform/node/wire/port.js';
import { RemoteSource } from '../../src/platform/node/wire/remote.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { random } from '../reference/compare.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { portOf } from './pair.js';

const numbers = random(9);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 10 };
const host = '127.0.0.1';

describe('a worker behind a socket', () => {
  let prefill: CoreEngine;
  let decode: CoreEngine;
  let other: CoreEngine;
  beforeAll(async () => {
    const load = (more: object): Promise<CoreEngine> =>
      startEngine({ adapter, model: tinyFolder(), contextLength: 128, kvCacheTokens: 512, ...more }, nodeHost);
    [prefill, decode] = [await load({ kvDtype: 'f32', prefillChunk: 32 }), await load({ kvDtype: 'f32' })];
    other = await load({ kvDtype: 'f16' });
  });
  afterAll(() => Promise.all([prefill, decode, other].map((engine) => engine.dispose())));

  const open = async (token?: string): Promise<{ worker: WorkerPort; port: number; told: string[] }> => {
    const told: string[] = [];
    const worker = await WorkerPort.create(prefill, { token, tell: (what) => told.push(what) });
    return { worker, port: await portOf(worker), told };
  };
  const paired = (port: number, engine = decode, token?: string): PairedEngine => {
    const source = new RemoteSource(engine, { address: { host, port }, token });
    return new PairedEngine(engine, source, () => source.close());
  };
  const alone = async (prompt: number[]): Promise<readonly number[]> =>
    (await prefill.generate(prompt, GREEDY).result).ids;

  it('hangs up on who wants a prompt without ids, and serves others', async () => {
    const { worker, port } = await open();
    const rude = connect(port, host);
    const closed = once(rude, 'close');
    const hello = { layout: await decode.kv.layout(), numerics: decode.kv.numerics() };
    rude.on('data', () => undefined).on('error', () => undefined);
    send(rude, { type: 'hello', stream: 0 }, jsonBytes(hello));
    send(rude, { type: 'want', stream: 1, firstBlock: 0 }, Buffer.from('null'));
    await closed;
    const pair = paired(port);
    expect((await pair.generate(ids(40), GREEDY).result).cachedTokens).toBe(32);
    await worker.close();
  });

  it('hangs up on who wants two prompts by one number or sends megabytes, and computes on for nobody', async () => {
    const { worker, port } = await open();
    const hello = { layout: await decode.kv.layout(), numerics: decode.kv.numerics() };
    const want = Buffer.from(JSON.stringify({ ids: ids(100) }));
    for (const wants of [[want, want], [Buffer.alloc((4 << 20) + 1, ' ')]]) {
      const rude = connect(port, host);
      const closed = once(rude, 'close');
      rude.on('data', () => undefined).on('error', () => undefined);
      send(rude, { type: 'hello', stream: 0 }, jsonBytes(hello));
      for (const each of wants) send(rude, { type: 'want', stream: 1, firstBlock: 0 }, each);
      await closed;
    }
    await expect.poll(() => [worker.prompts.count, prefill.stats().running]).toEqual([0, 0]);
    await worker.close();
  });

  it('sends the keys and values of prompts, several at once, and is found again after it was lost', async () => {
    const first = await open('secret');
    const pair = paired(first.port, decode, 'secret');
    const prompts = [17, 40, 64, 100].map(ids);
    const results = await Promise.all(prompts.map((prompt) => pair.generate(prompt, GREEDY).result));
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([16, 32, 48, 96]);
    for (const [i, prompt] of prompts.entries()) expect(results[i].ids).toEqual(await alone(prompt));
    expect(pair.transfers).toMatchObject({ transfers: 4, underWay: 0, fallbacks: new Map() });
    await first.worker.close();
    const prompt = ids(50);
    expect((await pair.generate(prompt, GREEDY).result).ids).toEqual(await alone(prompt));
    expect([...pair.transfers.fallbacks]).toEqual([['lost', 1]]);
    const again = await WorkerPort.create(prefill, { token: 'secret' });
    await again.listen({ host, port: first.port });
    expect((await pair.generate(ids(50), GREEDY).result).cachedTokens).toBe(48);
    expect(again.prompts.count).toBe(0);
    await again.close();
    expect(decode.kv.reserved.count).toBe(0);
    expect(decode.stats().kvBlocksFree).toBe(decode.stats().kvBlocks);
  });

  it('refuses another format of keys and values, and a wrong token, by name', async () => {
    const { worker, port, told } = await open('secret');
    const tries = [paired(port, other, 'secret'), paired(port, decode, 'wrong'), paired(port, decode)];
    for (const pair of tries) {
      const result = await pair.generate(ids(40), GREEDY).result;
      expect([result.ids.length, result.cachedTokens]).toEqual([10, 0]);
      expect([...pair.transfers.fallbacks]).toEqual([['failed', 1]]);
    }
    expect(told).toEqual([
      '127.0.0.1 was refused: another format of keys and values (f32 here, f16 there)',
      '127.0.0.1 was refused: the token is wrong',
      '127.0.0.1 was refused: the token is wrong',
    ]);
    await worker.close();
  });

  it('hangs up on what is no frame', async () => {
    const { worker, port } = await open();
    const socket = connect(port, host);
    socket.write('GET / HTTP/1.1\r\nhost: worker.example.org\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(worker.prompts.count).toBe(0);
    await worker.close();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DurableRequests, type DurableAnswer } from '../../src/platform/node/nats/durable-requests.js';
import { NatsBus } from '../../src/platform/node/nats/nats-bus.js';
import { natsUrlOf } from '../../src/platform/node/nats/nats-url.js';
import { hasNats, TestNats } from '../support/nats.js';

const REQUEST = { path: '/v1/completions', body: { prompt: 'Once', seed: 1 } };

describe.skipIf(!hasNats)('requests that outlive their router', () => {
  let nats: TestNats;
  const open: { readonly bus: NatsBus; readonly requests: DurableRequests }[] = [];
  beforeAll(async () => (nats = await TestNats.start()));
  afterEach(async () => {
    for (const { bus, requests } of open.splice(0)) {
      requests.close();
      await bus.close();
    }
  });
  afterAll(() => nats.end());

  /** A router, of which only what it keeps is there. */
  const route = async (
    answer: (id: string) => DurableAnswer = (id) => ({ status: 200, body: { text: `answer to ${id}` } }),
  ): Promise<{ requests: DurableRequests; vanish: () => Promise<void> }> => {
    const bus = new NatsBus(natsUrlOf(nats.url)!, { name: 'test' });
    const requests = new DurableRequests(bus, { answer: (id) => Promise.resolve(answer(id)) });
    await expect.poll(() => bus.connected).toBe(true);
    open.push({ bus, requests });
    return { requests, vanish: () => bus.close() };
  };

  it('are known while they are answered, once, and forgotten when their clients have the answer', async () => {
    const { requests } = await route();
    const id = 'a.b *>c';
    expect(await requests.find(id)).toBeUndefined();
    expect(await requests.accept(id, REQUEST)).toBe(true);
    expect(await requests.accept(id, REQUEST), 'the same once more').toBe(false);
    expect(await requests.find(id)).toEqual({ answer: undefined });
    await requests.done(id);
    expect(await requests.find(id)).toBeUndefined();
    expect(await requests.accept(id, REQUEST), 'asked anew after an answer').toBe(true);
    await requests.done(id);
  });

  it('are answered by one other router when theirs goes without a word, after the NATS server was killed too', async () => {
    const first = await route();
    for (const id of ['x', 'y', 'z']) expect(await first.requests.accept(id, REQUEST)).toBe(true);
    await first.requests.done('z');
    await nats.kill();
    await expect(first.requests.accept('w', REQUEST)).rejects.toThrow();
    await nats.again();
    let busy = 2;
    const asked: string[] = [];
    const answer = (id: string): DurableAnswer => {
      if (busy-- > 0) return { status: 429, body: {} };
      asked.push(id);
      return { status: 200, body: { text: id } };
    };
    const [second, third] = [await route(answer), await route(answer)];
    await first.vanish();
    for (const id of ['x', 'y']) {
      await expect
        .poll(async () => (await third.requests.find(id))?.answer)
        .toEqual({ status: 200, body: { text: id } });
    }
    expect(asked.sort()).toEqual(['x', 'y']);
    expect(second.requests.takenOver + third.requests.takenOver).toBe(2);
    expect(await second.requests.find('z')).toBeUndefined();
    expect(await second.requests.accept('x', REQUEST), 'it is answered already').toBe(false);
  });

  it('are answered by another router when theirs leaves in good order', async () => {
    const [first, second] = [await route(), await route()];
    expect(await first.requests.accept('left', REQUEST)).toBe(true);
    first.requests.close();
    await expect.poll(async () => (await second.requests.find('left'))?.answer?.status).toBe(200);
  });
});

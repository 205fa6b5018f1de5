import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  DurableRequests,
  type BegunAnswer,
  type DurableAnswer,
  type DurableRequest,
} from '../../src/platform/node/nats/durable-requests.js';
import { NatsBus } from '../../src/platform/node/nats/nats-bus.js';
import { natsUrlOf } from '../../src/platform/node/nats/nats-url.js';
import { hasNats, TestNats } from '../support/nats.js';

const REQUEST = { answerId: 'a', path: '/v1/completions', body: { prompt: 'Once', seed: 1 } };

describe.skipIf(!hasNats)('requests that outlive their router', () => {
  let nats: TestNats;
  const open: { readonly bus: NatsBus; readonly requests: DurableRequests<DurableRequest> }[] = [];
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
    answer: (id: string, begun: BegunAnswer) => DurableAnswer = (id) => ({
      status: 200,
      body: { text: `answer to ${id}` },
    }),
  ): Promise<{ requests: DurableRequests<DurableRequest>; vanish: () => Promise<void> }> => {
    const bus = new NatsBus(natsUrlOf(nats.url)!, { name: 'test' });
    const requests = new DurableRequests(bus, { answer: (id, _request, begun) => Promise.resolve(answer(id, begun)) });
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

  it('go on from the ids that were filed of them, and from those of another answer never', async () => {
    const first = await route();
    const ids = Array.from({ length: 20 }, (_, at) => at);
    for (const id of ['p', 'q']) expect(await first.requests.accept(id, { ...REQUEST, answerId: id })).toBe(true);
    first.requests.got('p', 1, ids);
    first.requests.got('q', 0, [7]);
    const seen: Record<string, readonly (readonly number[])[]> = {};
    let again = 1;
    const answer = (id: string, begun: BegunAnswer): DurableAnswer => {
      seen[id] = [begun.resume(0), begun.resume(1)];
      if (id === 'p' && again-- > 0) {
        begun.got(1, [20, 21]);
        return { status: 503, body: {} };
      }
      return { status: 200, body: {} };
    };
    const second = await route(answer);
    const onlooker = new NatsBus(natsUrlOf(nats.url)!, { name: 'test' });
    const connection = await onlooker.connection();
    const manager = await jetstreamManager(connection);
    // Twenty are filed at once, one only when nothing more comes for long.
    await expect.poll(() => filedIds(manager, 'p')).toEqual([[], ids]);
    const other = { id: 'q', answerId: 'older', choices: [[1, 2, 3]] };
    await jetstream(connection).publish(subjectOf('q'), JSON.stringify(other));
    await first.vanish();
    for (const id of ['p', 'q'])
      await expect.poll(async () => (await second.requests.find(id))?.answer?.status).toBe(200);
    expect(seen).toEqual({ p: [[], [...ids, 20, 21]], q: [[], []] });
    expect(second.requests.takenOverIds).toBe(20);
    // They are removed with its answer.
    await expect.poll(() => filedIds(manager, 'p')).toBeUndefined();
    await onlooker.close();
  });
});

const subjectOf = (id: string): string => `ridgepoint.ids.${Buffer.from(id).toString('base64url')}`;

async function filedIds(manager: JetStreamManager, id: string): Promise<unknown> {
  const found = await manager.streams.getMessage('ridgepoint-ids', { last_by_subj: subjectOf(id) }).catch(() => null);
  return found?.json<{ readonly choices: unknown }>().choices;
}

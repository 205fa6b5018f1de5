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

type Answering = (id: string, begun: BegunAnswer) => DurableAnswer;

/** A router, of which only what it keeps is there. */
interface Router {
  readonly bus: NatsBus;
  readonly requests: DurableRequests<DurableRequest>;
  /** What it was told of the server. */
  readonly told: readonly string[];
  /** Ends it without a word. */
  vanish(): Promise<void>;
}

const open: Router[] = [];

async function routeAt(nats: TestNats, answer?: Answering): Promise<Router> {
  const told: string[] = [];
  const bus = new NatsBus(natsUrlOf(nats.url)!, { name: 'test', tell: (what) => told.push(what) });
  const requests = new DurableRequests(bus, {
    answer: (id, _request, begun) =>
      Promise.resolve(answer?.(id, begun) ?? { status: 200, body: { text: `answer to ${id}` } }),
    instead: ({ answerId }, why) => ({ status: 500, body: { answerId, why } }),
  });
  await expect.poll(() => bus.connected).toBe(true);
  const router = { bus, requests, told, vanish: () => bus.close() };
  open.push(router);
  return router;
}

async function endAll(): Promise<void> {
  for (const { bus, requests } of open.splice(0)) {
    await requests.close();
    await bus.close();
  }
}

describe.skipIf(!hasNats)('requests that outlive their router', () => {
  let nats: TestNats;
  beforeAll(async () => (nats = await TestNats.start()));
  afterEach(endAll);
  afterAll(() => nats.end());

  const route = (answer?: Answering): Promise<Router> => routeAt(nats, answer);

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

  it('are answered by another router when theirs leaves in good order, from the last id that was there', async () => {
    let seen: readonly (readonly number[])[] = [];
    const answer = (_id: string, begun: BegunAnswer): DurableAnswer => {
      seen = [begun.resume(0), begun.resume(1)];
      return { status: 200, body: {} };
    };
    const [first, second] = [await route(), await route(answer)];
    for (const id of ['left', 'done']) expect(await first.requests.accept(id, REQUEST)).toBe(true);
    // Too few to be filed for their own sake.
    first.requests.got('left', 0, [5, 6]);
    first.requests.got('left', 1, [7]);
    void first.requests.done('done');
    await first.requests.close();
    await first.vanish();
    await expect.poll(async () => (await second.requests.find('left'))?.answer?.status).toBe(200);
    expect(seen).toEqual([[5, 6], [7]]);
    expect([second.requests.takenOver, second.requests.takenOverIds]).toEqual([1, 3]);
    expect(await second.requests.find('done'), 'its client had its answer').toBeUndefined();
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

describe.skipIf(!hasNats)('with a NATS server of small messages', () => {
  const [MOST, HEAD] = [4096, 256];
  let nats: TestNats;
  beforeAll(async () => (nats = await TestNats.start(undefined, `max_payload: ${MOST}\n`)));
  afterEach(endAll);
  afterAll(() => nats.end());

  /** A request whose record has so many bytes. */
  const requestOf = (id: string, bytes: number, { requests }: Router): DurableRequest => {
    const request = { answerId: 'a', text: '' };
    const empty = JSON.stringify({ id, owner: requests.router, request }).length;
    return { ...request, text: 'x'.repeat(bytes - empty) } as DurableRequest;
  };

  it('what is too large is refused in words before it is filed, what just fits is answered elsewhere', async () => {
    const [first, second] = [await routeAt(nats), await routeAt(nats)];
    const most = MOST - HEAD;
    await expect(first.requests.accept('large', requestOf('large', most + 1, first))).rejects.toMatchObject({
      code: 'usage',
      message: `the request has ${most + 1} bytes as it is kept, and the NATS server takes ${most}; send a shorter one, or raise the server's max_payload`,
    });
    expect(await first.requests.find('large')).toBeUndefined();
    expect(await first.requests.accept('fits', requestOf('fits', most, first))).toBe(true);
    await first.requests.close();
    await expect.poll(async () => (await second.requests.find('fits'))?.answer?.status).toBe(200);
    expect(first.told, 'the connection has stayed').toEqual([expect.stringContaining('is there')]);
  });

  it('an answer that cannot be kept is an error, and of too many ids the first are kept', async () => {
    const ids = Array.from({ length: 3000 }, (_, at) => at);
    let seen: readonly number[] = [];
    const [first, second] = [
      await routeAt(nats),
      await routeAt(nats, (_id, begun) => {
        seen = begun.resume(0);
        return { status: 200, body: { text: 'x'.repeat(MOST) } };
      }),
    ];
    expect(await first.requests.accept('long', REQUEST)).toBe(true);
    first.requests.got('long', 0, ids);
    await first.requests.close();
    await expect.poll(async () => (await second.requests.find('long'))?.answer?.status).toBe(500);
    const { body } = (await second.requests.find('long'))!.answer as { readonly body: { readonly why: string } };
    expect(body).toMatchObject({ answerId: 'a' });
    expect(body.why).toMatch(/^the answer has \d+ bytes as it is kept.* raise the server's max_payload$/);
    expect(seen.length).toBeGreaterThan(100);
    expect(seen).toEqual(ids.slice(0, seen.length));
  });

  it('what is told to all and too large is not sent, which is said once', async () => {
    const { bus, requests, told } = await routeAt(nats);
    for (let times = 0; times < 2; times++) bus.publish('ridgepoint.announce', { text: 'x'.repeat(MOST) });
    expect(await requests.accept('after', REQUEST)).toBe(true);
    expect(told).toEqual([
      expect.stringContaining('is there'),
      expect.stringContaining(`takes messages of ${MOST} bytes (max_payload), and one to ridgepoint.announce has`),
    ]);
  });
});

const subjectOf = (id: string): string => `ridgepoint.ids.${Buffer.from(id).toString('base64url')}`;

async function filedIds(manager: JetStreamManager, id: string): Promise<unknown> {
  const found = await manager.streams.getMessage('ridgepoint-ids', { last_by_subj: subjectOf(id) }).catch(() => null);
  return found?.json<{ readonly choices: unknown }>().choices;
}

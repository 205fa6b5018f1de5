import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { openTextModel } from '../../src/engine/text-model.js';
import { COLUMNS, type BoardRow } from '../../src/cli/commands/cluster/board.js';
import type { ClusterMember } from '../../src/cli/commands/cluster/member.js';
import { ONLOOKER } from '../../src/cli/commands/cluster/run.js';
import { addressText } from '../../src/cluster/address.js';
import { WorkerAnnouncer } from '../../src/cluster/control/worker-announcer.js';
import { SUBJECTS } from '../../src/cluster/control/bus.js';
import type { WorkerRole } from '../../src/cluster/worker-link.js';
import type { RouterEngine } from '../../src/cluster/router-engine.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { NatsBus } from '../../src/platform/node/nats/nats-bus.js';
import { natsUrlOf } from '../../src/platform/node/nats/nats-url.js';
import { openRouter } from '../../src/platform/node/wire/open-router.js';
import { TcpLink } from '../../src/platform/node/wire/tcp-link.js';
import { WorkerPort } from '../../src/platform/node/wire/port.js';
import { adapter, tinyFolder } from '../engine/support.js';
import { hasNats, TestNats } from '../support/nats.js';

const model = tinyFolder();
const host = '127.0.0.1';
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true, maxTokens: 40 };
const PROMPT = Array.from({ length: 20 }, (_, at) => 3 + at);

/** A worker that announces itself, as the command does. */
interface Announced {
  readonly port: WorkerPort;
  readonly name: string;
  readonly drained: boolean;
  leave(): Promise<void>;
  /** Ends without a word to anybody but by its connections. */
  vanish(): Promise<void>;
}

describe.skipIf(!hasNats)('workers that are found by NATS', () => {
  let nats: TestNats;
  let engines: CoreEngine[];
  const told: string[] = [];
  beforeAll(async () => {
    nats = await TestNats.start();
    const load = (): Promise<CoreEngine> =>
      startEngine(
        { adapter, model, contextLength: 128, kvCacheTokens: 1024, maxSequences: 4, kvDtype: 'f32' },
        nodeHost,
      );
    engines = await Promise.all([load(), load()]);
  });
  afterAll(async () => {
    await nats.end();
    await Promise.all(engines.map((engine) => engine.dispose()));
  });

  const openBus = (): NatsBus => new NatsBus(natsUrlOf(nats.url)!, { name: 'test', tell: (what) => told.push(what) });
  const announce = async (at: number, listen = 0, role: WorkerRole = 'both'): Promise<Announced> => {
    const port = await WorkerPort.create(engines[at], { role });
    const address = await port.listen({ host, port: listen });
    const bus = openBus();
    let drained = false;
    const announcer = new WorkerAnnouncer(bus, {
      about: { worker: addressText(address), epoch: port.epoch, address, role },
      onDrain: () => void port.drain().then(() => (drained = true)),
    });
    return {
      port,
      name: addressText(address),
      get drained() {
        return drained;
      },
      leave: async () => {
        announcer.leave();
        await bus.close();
        await port.close();
      },
      vanish: async () => {
        const { connection } = bus as unknown as { connection: () => Promise<{ close(): Promise<void> }> };
        await (await connection.call(bus)).close();
        announcer.leave();
        await port.close();
      },
    };
  };
  const route = async (): Promise<RouterEngine & { readonly bus: NatsBus }> => {
    const bus = openBus();
    const router = await openRouter({
      model: await openTextModel({ model }, nodeHost),
      ...{ workers: [], bus, placement: 'round-robin', tell: (what: string) => told.push(what) },
    });
    return Object.assign(router, { bus });
  };
  const answerers = async (router: RouterEngine, count = 4): Promise<string[]> => {
    const results = await Promise.all(
      Array.from({ length: count }, () => router.generate(PROMPT, { ...GREEDY, maxTokens: 3 }).result),
    );
    return [...new Set(results.map(({ route: way }) => way!.decodeWorker!))].sort();
  };
  const expected = async (): Promise<readonly number[]> => (await engines[0].generate(PROMPT, GREEDY).result).ids;

  it('come while a router runs, take nothing new when told to drain, and leave', async () => {
    const first = await announce(0);
    const router = await route();
    expect(await answerers(router)).toEqual([first.name]);
    const second = await announce(1);
    await expect.poll(() => answerers(router)).toEqual([first.name, second.name].sort());
    const running = router.generate(PROMPT, { ...GREEDY, maxTokens: 100 });
    await expect.poll(() => first.port.runs.size + second.port.runs.size).toBe(1);
    const [where] = [first, second].filter(({ port }) => port.runs.size === 1);
    const other = where === first ? second : first;
    router.bus.publish(SUBJECTS.order, { worker: where.name, epoch: where.port.epoch, order: 'drain' });
    await expect.poll(() => told.includes(`${where.name} takes nothing new`)).toBe(true);
    expect(await answerers(router)).toEqual([other.name]);
    expect((await running.result).route).toMatchObject({ decodeWorker: where.name, attempts: 1 });
    await expect.poll(() => where.drained).toBe(true);
    await where.leave();
    await expect.poll(() => told.includes(`${where.name} is not heard of any more`)).toBe(true);
    await other.leave();
    await expect.poll(() => router.failure?.message).toBe('no worker that answers can be reached');
    await router.dispose();
    await router.bus.close();
  });

  it('stay known while the server is away: what runs goes on, what comes is answered; newcomers are found afterwards', async () => {
    const ids = await expected();
    const first = await announce(0);
    const router = await route();
    const running = router.generate(PROMPT, GREEDY);
    await nats.kill();
    expect((await running.result).ids).toEqual(ids);
    await expect.poll(() => router.bus.connected).toBe(false);
    // Longer than silence may last while there is a server.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const during = await router.generate(PROMPT, GREEDY).result;
    expect(during).toMatchObject({ ids, route: { decodeWorker: first.name, attempts: 1 } });
    const second = await announce(1);
    expect(await answerers(router)).toEqual([first.name]);
    await nats.again();
    await expect.poll(() => answerers(router)).toEqual([first.name, second.name].sort());
    expect(router.counts.lost.size).toBe(0);
    await first.leave();
    await second.leave();
    await router.dispose();
    await router.bus.close();
  });

  it('are other workers when they come again under their names', async () => {
    const ids = await expected();
    const first = await announce(0);
    const router = await route();
    const running = router.generate(PROMPT, GREEDY);
    const seen: number[] = [];
    let again: Announced | undefined;
    for await (const { ids: some } of running) {
      seen.push(...some);
      if (again !== undefined || seen.length < 5) continue;
      await first.vanish();
      again = await announce(1, Number(first.name.split(':')[1]));
      expect(again.name).toBe(first.name);
      expect(again.port.epoch > first.port.epoch).toBe(true);
    }
    expect(seen).toEqual(ids);
    expect((await running.result).route!.attempts).toBe(2);
    await again!.leave();
    await router.dispose();
    await router.bus.close();
  });

  it('do one phase each where routers say which, and all routers know', async () => {
    const workers = [await announce(0, 0, 'auto'), await announce(1, 0, 'auto')];
    const [first, second] = [await route(), await route()];
    await expect.poll(() => answerers(first).then(({ length }) => length)).toBe(1);
    await expect.poll(() => answerers(second).then(({ length }) => length)).toBe(1);
    await expect
      .poll(async () => [await answerers(first), await answerers(second)].map(String))
      .toSatisfy(([one, other]: string[]) => one === other && !one.includes(','));
    // Whoever else looks at the workers, as the table of `ridgepoint cluster` does, is told too.
    const looked = workers.map(({ name }) => {
      const [, port] = name.split(':');
      return new TcpLink({ address: { host, port: Number(port) }, listener: ONLOOKER });
    });
    const rows = looked.map((link): BoardRow => ({ member: {} as ClusterMember, role: 'auto', link }));
    const role = COLUMNS.find(({ key }) => key === 'role')!;
    await expect.poll(() => rows.map((row) => role.text!(row)).sort()).toEqual(['auto: decode', 'auto: prefill']);
    looked.forEach((link) => link.close());
    for (const worker of workers) await worker.leave();
    for (const router of [first, second]) {
      await router.dispose();
      await router.bus.close();
    }
  });

  it('are not found by who may not connect', async () => {
    const refused: string[] = [];
    const bus = new NatsBus(natsUrlOf(`nats://tests:wrong@127.0.0.1:${nats.port}`)!, {
      ...{ name: 'stranger', tell: (what: string) => refused.push(what) },
    });
    await expect(bus.connection()).rejects.toThrow(`nats://127.0.0.1:${nats.port} cannot be used: Auth`);
    expect(refused.join()).toContain('cannot be used');
    await bus.close();
  });
});

describe('the address of a NATS server', () => {
  it.each([
    ['nats://h', { server: 'h:4222', user: undefined, token: undefined, isTls: false, shown: 'nats://h:4222' }],
    ['tls://u:p%2Fq@h:7/', { server: 'h:7', user: 'u', password: 'p/q', token: undefined, isTls: true }],
    [
      'nats://secret@[::1]:4222',
      { server: '[::1]:4222', user: undefined, token: 'secret', shown: 'nats://[::1]:4222' },
    ],
  ])('%s', (given, found) => expect(natsUrlOf(given)).toMatchObject(found));

  it.each(['', 'h:4222', 'http://h', 'nats://', 'nats://h/topic', 'nats://h?x=1', 'nats://%zz@h'])(
    '%j is none',
    (given) => expect(natsUrlOf(given)).toBeUndefined(),
  );
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Relay } from '../../bench/disaggregate/relay.js';
import { PairedEngine } from '../../src/cluster/embedded.js';
import type { RouterEngine } from '../../src/cluster/router-engine.js';
import type { GenerateOptions } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { openTextModel } from '../../src/engine/text-model.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { openRouter } from '../../src/platform/node/wire/open-router.js';
import { WorkerPort } from '../../src/platform/node/wire/port.js';
import { RemoteSource } from '../../src/platform/node/wire/remote.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { random } from '../reference/compare.js';
import { faulty, flipped, swapped, torn, twice } from '../support/relay.js';
import { portOf } from './pair.js';

const numbers = random(31);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true, maxTokens: 30 };
const SAMPLED: GenerateOptions = { ...GREEDY, temperature: 1, seed: 4, repetitionPenalty: 1.1 };
const host = '127.0.0.1';
const model = tinyFolder();
/** The outage that a link comes back from; workers are given up after 5 s. */
const OUTAGE_MS = 3000;
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('over a link that fails', () => {
  let alone: CoreEngine;
  let engines: CoreEngine[];
  let workers: WorkerPort[];
  let ports: number[];
  const relays: Relay[] = [];
  beforeAll(async () => {
    const load = (more: object): Promise<CoreEngine> =>
      startEngine(
        { adapter, model, contextLength: 128, kvCacheTokens: 1024, maxSequences: 4, kvDtype: 'f32', ...more },
        nodeHost,
      );
    // Prompts leave in several frames, and are not found in the cache of who should ask for them.
    engines = await Promise.all([load({ prefillChunk: 16 }), load({}), load({})]);
    alone = await load({});
    workers = await Promise.all(engines.map((engine) => WorkerPort.create(engine)));
    ports = await Promise.all(workers.map((worker) => portOf(worker)));
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.close()));
    for (const [at, engine] of engines.entries()) {
      await expect
        .poll(() => [engine.stats().running, engine.kv.reserved.count, workers[at].runs.size])
        .toEqual([0, 0, 0]);
      expect(engine.stats().kvBlocksFree).toBe(engine.stats().kvBlocks);
      expect(workers[at].prompts.count).toBe(0);
    }
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await Promise.all([alone, ...engines].map((engine) => engine.dispose()));
  });

  const relayTo = async (at: number, through: Parameters<typeof Relay.open>[2] = {}): Promise<Relay> => {
    const relay = await Relay.open(ports[at], {}, through);
    relays.push(relay);
    return relay;
  };
  const expected = async (prompt: readonly number[], options: GenerateOptions): Promise<readonly number[]> =>
    (await alone.generate(prompt, options).result).ids;

  describe('keys and values', () => {
    const pairedBy = (relay: Relay): PairedEngine => {
      const source = new RemoteSource(engines[1], { address: { host, port: relay.port } });
      return new PairedEngine(engines[1], source, () => source.close());
    };
    /** Generates once. @returns blocks that came, and what was missing */
    const once = async (pair: PairedEngine, options = GREEDY): Promise<readonly [number, string[]]> => {
      const prompt = ids(100);
      const before = pair.transfers.bytes;
      const result = await pair.generate(prompt, options).result;
      expect(result.ids).toEqual(await expected(prompt, options));
      return [(pair.transfers.bytes - before) / engines[1].kv.blockBytes, [...pair.transfers.fallbacks.keys()]];
    };

    it('that come twice or in another order are filed once', async () => {
      const more = pairedBy(await relayTo(0, { toClient: faulty(twice('blocks')) }));
      expect((await once(more))[1]).toEqual([]);
      const relay = await relayTo(0, { toClient: faulty(swapped('blocks')) });
      expect(await once(pairedBy(relay), SAMPLED)).toEqual([6, []]);
    });

    it('with a bit flipped, or cut off within a frame, are computed from where they were whole', async () => {
      const bad = pairedBy(await relayTo(0, { toClient: faulty(flipped('blocks', 3)) }));
      expect(await once(bad)).toEqual([2, ['damaged']]);
      expect(await once(bad, SAMPLED), 'the next one connects anew').toEqual([6, ['damaged']]);
      const relay: Relay = await relayTo(0, { toClient: faulty(torn('blocks', 4, () => relay.cut())) });
      expect(await once(pairedBy(relay))).toEqual([3, ['lost']]);
    });

    it('that are asked for by a frame with a bit flipped are computed where they are wanted', async () => {
      const relay = await relayTo(0, { toServer: faulty(flipped('want', 1)) });
      expect(await once(pairedBy(relay))).toEqual([0, ['lost']]);
    });

    it('resume after an outage, and are given up when it lasts; what comes then is dropped', async () => {
      let stallAt = 0;
      const relay: Relay = await relayTo(0, {
        toClient: faulty(() => (frame, head) => {
          if (head.type === 'blocks' && --stallAt === 0) relay.stall();
          return [frame];
        }),
      });
      const pair = pairedBy(relay);
      stallAt = 3;
      const resumed = once(pair);
      await expect.poll(() => stallAt).toBeLessThanOrEqual(0);
      await after(OUTAGE_MS);
      relay.go();
      expect(await resumed).toEqual([6, []]);
      stallAt = 3;
      const began = performance.now();
      const [came, missing] = await once(pair, SAMPLED);
      expect(missing).toEqual(['silent']);
      // A frame before the one that is held may be on its way with it.
      expect([1, 2]).toContain(came);
      expect(performance.now() - began).toBeGreaterThan(4500);
      relay.go();
      expect(await once(pair)).toEqual([6, ['silent']]);
    });
  });

  describe('tokens', () => {
    const routed = async (...ways: readonly number[]): Promise<RouterEngine> =>
      openRouter({
        model: await openTextModel({ model }, nodeHost),
        workers: ways.map((port) => ({ host, port })),
        placement: 'round-robin',
      });
    const several = (router: RouterEngine, count = 4) =>
      Array.from({ length: count }, (_, at) => {
        const [prompt, options] = [ids(8 + 20 * at), at % 2 ? SAMPLED : GREEDY];
        const generation = router.generate(prompt, options);
        const checked = generation.result.then(async (result) => {
          expect(result.ids).toEqual(await expected(prompt, options));
          return result.route!.attempts;
        });
        return { generation, checked };
      });

    it.each([
      ['come twice', faulty(twice('tokens'))],
      ['come in another order', faulty(swapped('tokens'))],
      ['come with a bit flipped', faulty(flipped('tokens', 9))],
    ])('that %s are there once, without another attempt', async (_, toClient) => {
      const relay = await relayTo(1, { toClient });
      const router = await routed(relay.port);
      expect(await Promise.all(several(router).map(({ checked }) => checked))).toEqual([1, 1, 1, 1]);
      expect(router.counts.lost.size).toBe(0);
      await router.dispose();
    });

    it('that are cut off within a frame are asked for again by another connection', async () => {
      const relay: Relay = await relayTo(1, { toClient: faulty(torn('tokens', 7, () => relay.cut())) });
      const router = await routed(relay.port);
      expect(await Promise.all(several(router).map(({ checked }) => checked))).toEqual([1, 1, 1, 1]);
      await router.dispose();
    });

    it('resume after an outage; when it lasts, another worker goes on, and those of the first are dropped', async () => {
      const relay = await relayTo(1);
      const router = await routed(relay.port, ports[2]);
      const amid = async (ms: number): Promise<number[]> => {
        const all = several(router);
        // The first is at the worker behind the relay.
        const chunks = all[0].generation[Symbol.asyncIterator]();
        await chunks.next();
        relay.stall();
        if (ms < Infinity) setTimeout(() => relay.go(), ms);
        return Promise.all(all.map(({ checked }) => checked));
      };
      expect(await amid(OUTAGE_MS)).toEqual([1, 1, 1, 1]);
      const began = performance.now();
      expect(Math.max(...(await amid(Infinity)))).toBe(2);
      expect(performance.now() - began).toBeGreaterThan(4500);
      expect(router.counts.lost.get('gone')).toBe(router.counts.recoveries);
      relay.go();
      await expect.poll(() => Math.max(...workers.map(({ runs }) => runs.size))).toBe(0);
      expect(await Promise.all(several(router).map(({ checked }) => checked))).toEqual([1, 1, 1, 1]);
      await router.dispose();
    });
  });
});

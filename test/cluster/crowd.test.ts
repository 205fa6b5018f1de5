import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { openTextModel } from '../../src/engine/text-model.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { openRouter } from '../../src/platform/node/wire/open-router.js';
import { WorkerPort } from '../../src/platform/node/wire/port.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { random } from '../reference/compare.js';
import { scaled } from '../support/scale.js';
import { portOf } from './pair.js';

const COUNT = scaled(500, 50);
/** Those who leave before their answer's end. */
const LEAVING = 0.3;
const numbers = random(41);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const model = tinyFolder();

describe(`${COUNT} clients of whom many leave`, () => {
  let engines: CoreEngine[];
  let workers: WorkerPort[];
  beforeAll(async () => {
    const load = (more: object): Promise<CoreEngine> =>
      startEngine({ adapter, model, contextLength: 128, kvCacheTokens: 768, maxSequences: 16, ...more }, nodeHost);
    engines = await Promise.all([load({ prefillChunk: 32 }), load({})]);
    const roles = ['prefill', 'decode'] as const;
    workers = await Promise.all(engines.map((engine, at) => WorkerPort.create(engine, { role: roles[at] })));
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await Promise.all(engines.map((engine) => engine.dispose()));
  });

  it('have those who stay answered, and leave nothing behind on either worker', async () => {
    const ports = await Promise.all(workers.map((worker) => portOf(worker)));
    const router = await openRouter({
      model: await openTextModel({ model }, nodeHost),
      workers: ports.map((port) => ({ host: '127.0.0.1', port })),
      placement: 'least-loaded',
    });
    let left = 0;
    const outcomes = Array.from({ length: COUNT }, async (_, at) => {
      const leaves = numbers.next() < LEAVING;
      const leaving = new AbortController();
      const maxTokens = 4 + (at % 9);
      const options = { temperature: 1, seed: at, ignoreEos: true, maxTokens, signal: leaving.signal };
      // Some leave before anything has come, some while keys and values are under way, some amid their answer.
      const after = leaves ? numbers.integer(maxTokens) : Infinity;
      if (leaves && after === 0) setTimeout(() => leaving.abort(), numbers.integer(200));
      const generation = router.generate(ids(5 + ((at * 13) % 100)), options);
      let seen = 0;
      for await (const chunk of generation) {
        seen += chunk.ids.length;
        if (seen >= after) leaving.abort();
      }
      const { ids: found, finishReason } = await generation.result;
      if (finishReason === 'abort') left++;
      else expect(found.length).toBe(maxTokens);
      return finishReason;
    });
    const reasons = await Promise.all(outcomes);
    expect(reasons.filter((reason) => reason !== 'abort' && reason !== 'length')).toEqual([]);
    expect(left).toBeGreaterThan(COUNT * 0.1);
    expect(left).toBeLessThan(COUNT * 0.5);
    expect(router.counts.transfers).toBeGreaterThan(COUNT * 0.1);
    for (const [at, engine] of engines.entries()) {
      const held = () => [engine.stats().running, engine.stats().waiting, engine.kv.reserved.count];
      await expect.poll(held).toEqual([0, 0, 0]);
      await expect.poll(() => engine.stats().kvBlocksFree).toBe(engine.stats().kvBlocks);
      await expect.poll(() => [workers[at].runs.size, workers[at].prompts.count]).toEqual([0, 0]);
    }
    await router.dispose();
  });
});

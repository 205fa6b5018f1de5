import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions, Generation, GenerationChunk, GenerationResult } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { openTextModel } from '../../src/engine/text-model.js';
import type { RouterEngine } from '../../src/cluster/router-engine.js';
import type { RunTokens } from '../../src/cluster/run-request.js';
import type { WorkerListener } from '../../src/cluster/worker-link.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { openRouter, type RouterOptions } from '../../src/platform/node/wire/open-router.js';
import { WorkerPort, type PortOptions } from '../../src/platform/node/wire/port.js';
import { TcpLink } from '../../src/platform/node/wire/tcp-link.js';
import { random } from '../reference/compare.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { portOf } from './pair.js';
import { isFull } from '../support/scale.js';

const numbers = random(12);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const model = tinyFolder();
const host = '127.0.0.1';
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true, maxTokens: 40 };
const NEUTRAL = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 },
  logitBias: {},
};
const SAMPLED: GenerateOptions = { temperature: 1, seed: 5, ignoreEos: true, maxTokens: 40, repetitionPenalty: 1.1 };

async function chunksOf(generation: Generation): Promise<GenerationChunk[]> {
  const chunks: GenerationChunk[] = [];
  for await (const chunk of generation) chunks.push(chunk);
  return chunks;
}

describe('a router', () => {
  let alone: CoreEngine;
  let engines: CoreEngine[];
  beforeAll(async () => {
    const load = (): Promise<CoreEngine> =>
      startEngine(
        { adapter, model, contextLength: 128, kvCacheTokens: 1024, maxSequences: 4, kvDtype: 'f32' },
        nodeHost,
      );
    engines = await Promise.all([load(), load(), load()]);
    [alone] = engines;
  });
  afterAll(() => Promise.all(engines.map((engine) => engine.dispose())));

  const open = async (
    at: number,
    options: PortOptions = {},
    port = 0,
  ): Promise<{ worker: WorkerPort; port: number }> => {
    const worker = await WorkerPort.create(engines[at], options);
    return { worker, port: await portOf(worker, port) };
  };
  const route = async (ports: readonly number[], options: Partial<RouterOptions> = {}): Promise<RouterEngine> =>
    openRouter({
      model: await openTextModel({ model }, nodeHost),
      workers: ports.map((port) => ({ host, port })),
      placement: 'round-robin',
      ...options,
    });
  const same = async (prompt: readonly number[], options: GenerateOptions, found: GenerationResult): Promise<void> => {
    const { ids: expected } = await alone.generate(prompt, options).result;
    expect(found.ids).toEqual(expected);
  };
  const clean = async (): Promise<void> => {
    for (const engine of engines) {
      await expect.poll(() => [engine.stats().running, engine.kv.reserved.count]).toEqual([0, 0]);
      await expect.poll(() => engine.stats().kvBlocksFree).toBe(engine.stats().kvBlocks);
    }
  };

  it('has workers answer with the ids of one engine, prompts computed by another worker', async () => {
    const [p, d, e] = [await open(0, { role: 'prefill' }), await open(1, { role: 'decode' }), await open(2)];
    const told: string[] = [];
    const router = await route([p.port, d.port, e.port], { tell: (what) => told.push(what) });
    expect(told.sort()).toEqual(
      [
        `127.0.0.1:${p.port} has come: ${engines[0].info.adapter}, which computes prompts`,
        `127.0.0.1:${d.port} has come: ${engines[0].info.adapter}, which answers`,
        `127.0.0.1:${e.port} has come: ${engines[0].info.adapter}, which computes prompts and answers`,
      ].sort(),
    );
    const asked = [GREEDY, SAMPLED, GREEDY, SAMPLED, GREEDY, SAMPLED].map((options, i) => ({
      prompt: ids(5 + 17 * i),
      options,
    }));
    const results = await Promise.all(asked.map(({ prompt, options }) => router.generate(prompt, options).result));
    for (const [i, { prompt, options }] of asked.entries()) await same(prompt, options, results[i]);
    const [name, helper] = [d, p].map(({ port }) => `127.0.0.1:${port}`);
    expect(results[2].route).toMatchObject({ decodeWorker: name, prefillWorker: helper, attempts: 1 });
    expect(results[2].route!.kvBytes).toBe(engines[0].kv.blockBytes * 2);
    expect([results[0].cachedTokens, results[2].cachedTokens]).toEqual([0, 32]);
    expect(results[0].route).toMatchObject({ prefillWorker: undefined, kvBytes: 0 });
    expect(router.counts).toMatchObject({ attempts: 6, recoveries: 0, gaps: 0, transfers: 5, fallbacks: new Map() });
    const scored = router.generate([3], { ...GREEDY, maxTokens: 3, logprobs: 2 });
    const expected = alone.generate([3], { ...GREEDY, maxTokens: 3, logprobs: 2 });
    expect(await chunksOf(scored)).toEqual(await chunksOf(expected));
    await expect.poll(() => [d, e].map(({ worker }) => worker.runs.size)).toEqual([0, 0]);
    await clean();
    await router.dispose();
    for (const { worker } of [p, d, e]) await worker.close();
  });

  it.runIf(isFull)('goes on elsewhere when a worker goes amid several answers, each id once', async () => {
    const [d, e] = [await open(1), await open(2)];
    const router = await route([d.port, e.port]);
    const asked = Array.from({ length: 8 }, (_, i) => ({ prompt: ids(10 + 9 * i), options: i % 2 ? GREEDY : SAMPLED }));
    let seen = 0;
    const answers = asked.map(async ({ prompt, options }) => {
      const generation = router.generate(prompt, options);
      const found: number[] = [];
      for await (const { ids: some } of generation) {
        found.push(...some);
        if (++seen === 60) await d.worker.close();
      }
      const result = await generation.result;
      expect(found).toEqual(result.ids);
      return result;
    });
    const results = await Promise.all(answers);
    for (const [i, { prompt, options }] of asked.entries()) await same(prompt, options, results[i]);
    const attempts = results.map(({ route: way }) => way!.attempts);
    expect(Math.max(...attempts)).toBe(2);
    expect(router.counts.lost.get('gone')).toBe(router.counts.recoveries);
    await clean();
    await router.dispose();
    await e.worker.close();
  });

  it('waits for a worker that comes again, and asks on from where it is', async () => {
    const first = await open(1);
    const router = await route([first.port]);
    const generation = router.generate(ids(20), SAMPLED);
    let again: WorkerPort | undefined;
    const found: number[] = [];
    for await (const { ids: some } of generation) {
      found.push(...some);
      if (found.length !== 10) continue;
      await first.worker.close();
      await expect.poll(() => router.failure?.message).toBe('no worker that answers can be reached');
      again = (await open(2, {}, first.port)).worker;
    }
    const result = await generation.result;
    await same(result.promptIds, SAMPLED, result);
    expect(found).toEqual(result.ids);
    expect(result.route!.attempts).toBe(2);
    expect(router.failure).toBeUndefined();
    await router.dispose();
    await again!.close();
    await clean();
  });

  it('has a request that nobody finishes fail after four attempts, and one whose client leaves end where it runs', async () => {
    const d = await open(1, { most: 0 });
    const router = await route([d.port]);
    await expect(router.generate(ids(20), GREEDY).result).rejects.toThrow(
      '4 workers have begun this and none has finished it: the worker has no room for another request',
    );
    expect([...router.counts.lost]).toEqual([['busy', 4]]);
    await router.dispose();
    await d.worker.close();
    const e = await open(2);
    const other = await route([e.port]);
    const leaving = new AbortController();
    const generation = other.generate(ids(20), { ...GREEDY, maxTokens: 100, signal: leaving.signal });
    for await (const chunk of generation) if (chunk.ids.length > 0) leaving.abort();
    expect((await generation.result).finishReason).toBe('abort');
    await expect.poll(() => e.worker.runs.size).toBe(0);
    await clean();
    await other.dispose();
    await e.worker.close();
  });

  it.runIf(isFull)(
    'that is gone without a word has its runs end; a prompt that nobody computes elsewhere is computed where it is',
    async () => {
      const { worker, port } = await open(1);
      const told: { readonly tokens: RunTokens[]; ended: number } = { tokens: [], ended: 0 };
      const listener: WorkerListener = {
        ...{ came: () => undefined, cameBack: () => undefined, gone: () => undefined, failed: () => undefined },
        tokens: (_link, _key, _index, tokens) => void told.tokens.push(tokens),
        ended: (_link, _key, count) => void (told.ended = count),
      };
      const link = new TcpLink({ address: { host, port }, listener });
      await expect.poll(() => link.worker?.role).toBe('both');
      const prompt = ids(60);
      const request = {
        id: 'r',
        attempt: 1,
        prompt,
        resume: [],
        options: { ...NEUTRAL, seed: 1, maxTokens: 5, ignoreEos: true },
      };
      link.run({ ...request, prefill: { host, port: 1 } }, 0);
      await expect.poll(() => told.ended).toBe(5);
      expect(told.tokens[0].begin).toMatchObject({ cachedTokens: 0, kv: { bytes: 0, missing: 'lost' } });
      expect(told.tokens.flatMap(({ tokens }) => tokens.map(({ id }) => id))).toEqual(
        (await alone.generate(prompt, { temperature: 0, maxTokens: 5, ignoreEos: true }).result).ids,
      );
      link.run(request, 3);
      await expect.poll(() => told.tokens.at(-1)!.tokens.length, { message: 'what is kept is told again' }).toBe(2);
      expect(worker.runs.size).toBe(1);
      link.close();
      await expect.poll(() => worker.runs.size, { timeout: 600_000 }).toBe(0);
      await clean();
      await worker.close();
    },
  );
});

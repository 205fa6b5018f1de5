import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PairedEngine } from '../../src/cluster/embedded.js';
import type { KvDtype } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { random } from '../reference/compare.js';
import { adapters } from '../support/adapters.js';
import { chosen, isFull } from '../support/scale.js';
import { adapter, refusal, TINY, tinyFolder } from '../engine/support.js';
import { Trio } from './pair.js';

const numbers = random(8);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const model = tinyFolder();
const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 12 };

const CASES = adapters.flatMap((name) =>
  // How blocks are moved depends on the format of the cache, and hardly on the adapter.
  (name === adapter ? (['f32', 'f16', 'int8'] as const) : (['f32'] as const)).map(
    (kvDtype): { name: string; kvDtype: KvDtype } => ({ name, kvDtype }),
  ),
);

describe.each(chosen(CASES, ({ kvDtype, name }) => kvDtype === 'f32' && name === adapter))(
  'prompts computed by another engine, $kvDtype cache on $name',
  ({ name, kvDtype }) => {
    let trio: Trio;
    beforeAll(async () => {
      const common = { model, kvDtype, contextLength: 128, maxSequences: 4, kvCacheTokens: 512 };
      trio = await Trio.load(name, common, { prefill: { prefillChunk: 32 }, decode: { prefillChunk: 48 } });
    });
    afterAll(() => trio.dispose());

    it('give the ids of one engine, greedy and sampled, of any length', async () => {
      for (const length of [1, 15, 16, 17, 33, 64, 100]) {
        const prompt = ids(length);
        const { cached } = await trio.same(prompt, GREEDY);
        expect(cached).toBe(Math.floor((length - 1) / 16) * 16);
        await trio.same(ids(length), { temperature: 0.9, seed: length, maxTokens: 9, repetitionPenalty: 1.2 });
      }
      expect(trio.pair.transfers).toMatchObject({ underWay: 0, transfers: 8 });
      expect(trio.pair.transfers.fallbacks.size).toBe(0);
      trio.clean();
    });

    it('start from what either has of them', async () => {
      const beginning = ids(40);
      const [first, second] = [
        [...beginning, ...ids(30)],
        [...beginning, ...ids(20)],
      ];
      await trio.prefill.generate(first, GREEDY).result;
      const published: string[] = [];
      const end = trio.pair.decode.kv.watch({ published: (name) => published.push(name), evicted: () => undefined });
      await trio.same(first, GREEDY);
      end();
      expect(published).toEqual(expect.arrayContaining(trio.pair.decode.kv.namesOf(first)));
      const { bytes } = trio.pair.transfers;
      await trio.same(second, GREEDY);
      expect(trio.pair.transfers.bytes - bytes, 'what is there is not sent again').toBe(trio.pair.decode.kv.blockBytes);
      const { transfers } = trio.pair.transfers;
      await trio.same(second, GREEDY);
      expect(trio.pair.transfers.transfers).toBe(transfers);
      trio.clean();
    });

    it('that begin alike and are computed in one step share what it is about to compute', async () => {
      // A step takes 32 tokens: a block of the one, which both have, and the next one of the other.
      const beginning = ids(17);
      const asked = [2, 18].map((more) => [...beginning, ...ids(more)]);
      const expected: (readonly number[])[] = [];
      for (const prompt of asked) expected.push((await trio.alone.generate(prompt, GREEDY).result).ids);
      const found = await Promise.all(asked.map((prompt) => trio.pair.generate(prompt, GREEDY).result));
      expect(found.map((result) => result.ids)).toEqual(expected);
      await expect.poll(() => trio.pair.decode.kv.reserved.count).toBe(0);
      trio.clean();
    });

    it('are kept apart in a crowd, some of whom leave', async () => {
      const prompts = Array.from({ length: 24 }, (_, i) => ids(10 + ((i * 7) % 90)));
      const expected: (readonly number[])[] = [];
      for (const prompt of prompts) expected.push((await trio.alone.generate(prompt, GREEDY).result).ids);
      const results = prompts.map(async (prompt, i) => {
        const leaving = new AbortController();
        const generation = trio.pair.generate(prompt, { ...GREEDY, signal: leaving.signal });
        if (i % 3 === 1) setTimeout(() => leaving.abort(), i);
        return generation.result;
      });
      for (const [i, { ids: found, finishReason }] of (await Promise.all(results)).entries()) {
        expect(found).toEqual(finishReason === 'abort' ? expected[i].slice(0, found.length) : expected[i]);
      }
      await expect.poll(() => trio.pair.decode.kv.reserved.count).toBe(0);
      await expect.poll(() => trio.prefill.stats().running).toBe(0);
      trio.clean();
    });
  },
);

describe('prompts computed by another engine', () => {
  it.runIf(isFull)('are computed here where their room is taken or the other one is gone', async () => {
    const common = { model, kvDtype: 'f32' as const, contextLength: 128, maxSequences: 3 };
    const trio = await Trio.load(adapter, { ...common, kvCacheTokens: 256 }, { decode: { kvReserve: 0.2 } });
    await trio.same(ids(100), GREEDY);
    expect([...trio.pair.transfers.fallbacks]).toEqual([['no room', 1]]);
    await trio.same(ids(50), GREEDY);
    await trio.prefill.dispose();
    await trio.same(ids(50), GREEDY);
    expect([...trio.pair.transfers.fallbacks]).toEqual([
      ['no room', 1],
      ['failed', 1],
    ]);
    await trio.dispose();
  });

  it('are written as one engine would write them, tools and variables included', async () => {
    const asked: unknown[] = [];
    const told = (...given: unknown[]): string => String(asked.push(given));
    const decode = { chatText: told, chatTextAside: told, chatPrompt: told } as unknown as CoreEngine;
    const source = { name: 'nobody', pieces: () => Promise.reject(new Error('nobody')) } as never;
    const pair = new PairedEngine(decode, source, () => Promise.resolve());
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const wishes = { tools: [{ type: 'function' }], variables: { deep: true }, addGenerationPrompt: false };
    pair.chatText(messages, wishes);
    await pair.chatTextAside(messages, wishes);
    pair.chatPrompt(messages, wishes);
    expect(asked).toEqual([1, 2, 3].map(() => [messages, wishes]));
  });

  it.runIf(isFull)('need engines of one checkpoint and one format of keys and values', async () => {
    const load = (options: object) => startEngine({ adapter, model, contextLength: 64, ...options }, nodeHost);
    const [plain, half, other] = await Promise.all([
      load({ kvDtype: 'f32' }),
      load({ kvDtype: 'f16' }),
      load({ kvDtype: 'f32', weights: 'synthetic' }),
    ]);
    expect(await refusal('usage', () => PairedEngine.create(half, plain))).toMatch(
      /cannot compute prompts for .*: another format of keys and values \(f32 here, f16 there\)$/,
    );
    expect(await refusal('usage', () => PairedEngine.create(other, plain))).toMatch(/another checkpoint/);
    await Promise.all([plain, half, other].map((engine) => engine.dispose()));
  });
});

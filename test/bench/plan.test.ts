import { expect, test } from 'vitest';
import { kvTokensFor, plan } from '../../bench/plan.js';
import { randomIds, randomText } from '../../bench/prompts.js';
import { idsOf, OPTIONS } from './made-up.js';

const ROOM = { contextLength: 256, kvTokens: 256, sequences: 2 };

test('a full grid has every batch at every context', () => {
  expect(idsOf(plan(OPTIONS, ROOM).points)).toEqual([
    ...['ttft p8', 'ttft p32', 'tpot c0 b1 g4', 'tpot c0 b2 g4', 'tpot c16 b1 g4', 'tpot c16 b2 g4'],
    ...['pp8', 'pp32', 'tg4', 'tg4 @ d16', 'operations p8', 'operations p32', 'operations c16 b1', 'operations c16 b2'],
  ]);
});

test('a cross varies one axis at a time', () => {
  const cross = { ...OPTIONS, contexts: [0, 16, 64], grid: 'cross', parts: ['end-to-end'], prompts: [] } as const;
  const { points } = plan({ ...cross, contexts: [...cross.contexts], parts: [...cross.parts], prompts: [] }, ROOM);
  expect(idsOf(points)).toEqual(['tpot c0 b1 g4', 'tpot c16 b1 g4', 'tpot c16 b2 g4', 'tpot c64 b1 g4']);
});

test('what does not fit is skipped, with why', () => {
  const { skipped } = plan({ ...OPTIONS, prompts: [8, 256], batches: [1, 4] }, ROOM);
  expect(skipped).toContainEqual({ id: 'ttft p256', reason: 'needs 257 positions, the context is 256' });
  expect(skipped).toContainEqual({ id: 'tpot c16 b4 g4', reason: 'needs 4 sequences, the engine holds 2' });
  const chunked = plan({ ...OPTIONS, prompts: [8, 64] }, { ...ROOM, chunk: 32 });
  expect(chunked.skipped).toEqual([
    { id: 'operations p64', reason: 'needs a step of 64 tokens, the prefill chunk is 32' },
  ]);
  const small = plan(OPTIONS, { ...ROOM, kvTokens: 32 });
  expect(small.skipped.map(({ reason }) => reason)).toContain('needs a KV cache of 64 tokens, there is one of 32');
});

test('a prompt as long as the context fits a pp row, which samples nothing', () => {
  expect(idsOf(plan({ ...OPTIONS, prompts: [256] }, ROOM).points)).toContain('pp256');
});

test('the cache has room for every point that fits the context', () => {
  const options = { ...OPTIONS, batches: [1, 32], contexts: [0, 100] };
  // 100 + 4 tokens are 7 blocks of 16 for each of 32 sequences.
  expect(kvTokensFor(options, 256)).toBe(8 * 16 * 32);
  const { skipped } = plan(options, { contextLength: 256, kvTokens: kvTokensFor(options, 256), sequences: 32 });
  expect(skipped).toEqual([]);
});

test('random prompts are the same on every machine and differ by seed', () => {
  expect(randomIds(1000, 5, 1)).toEqual(randomIds(1000, 5, 1));
  expect(randomIds(1000, 5, 1)).not.toEqual(randomIds(1000, 5, 2));
  expect(Math.max(...randomIds(7, 500, 3))).toBe(6);
});

test('a random text has exactly the tokens asked for', () => {
  const source = {
    config: { vocab: 26 },
    hasTokenizer: true,
    // A word is as many tokens as it has pairs of letters, and one begins the text.
    tokenize: (text: string) => [0, ...text.split(' ').flatMap((word) => word.match(/..?/g) ?? [])].map(() => 0),
    detokenize: ([id]: readonly number[]) => String.fromCharCode(97 + id).repeat(2 + (id % 4)),
  };
  for (const length of [2, 9, 64]) expect(source.tokenize(randomText(source, length, 5)!)).toHaveLength(length);
});

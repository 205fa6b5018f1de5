import { describe, expect, it, vi } from 'vitest';
import type { FinishReason, GenerateOptions, GenerationChunk } from '../../src/engine/api.js';
import { RunningGeneration } from '../../src/engine/generation.js';
import { resolveSampling } from '../../src/engine/options/sampling.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import { TextOutput } from '../../src/tokenizer/text-output.js';
import { firstChunk } from './support.js';
import { byteLevel } from '../tokenizer/folders.js';

const EOS = 263;
/** In the byte-level tokenizer ids below 256 are bytes, so that a test can cut text where it likes. */
const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];

interface Made {
  generation: RunningGeneration;
  cancelled: () => number;
}

function start(
  options: GenerateOptions & { tokenizer?: boolean; limit?: number; limitReason?: FinishReason; started?: number } = {},
): Made {
  const { tokenizer } = byteLevel;
  const promptIds = bytes('Hi');
  let cancelled = 0;
  const generation = new RunningGeneration({
    sequence: new ScheduledSequence(0, promptIds.length, options.limit ?? 100),
    promptIds,
    sampling: resolveSampling({ seed: 9 }, {}, 265, () => 0),
    options,
    eosIds: [EOS],
    limitReason: options.limitReason ?? 'length',
    output: options.tokenizer === false ? undefined : new TextOutput(tokenizer, promptIds, options),
    started: options.started ?? performance.now(),
    cancel: (self) => {
      cancelled++;
      self.finish('abort');
    },
  });
  return { generation, cancelled: () => cancelled };
}

function feed(generation: RunningGeneration, ids: readonly number[]): void {
  for (const id of ids) generation.push(id);
}

async function collect(generation: RunningGeneration): Promise<GenerationChunk[]> {
  const chunks: GenerationChunk[] = [];
  for await (const chunk of generation) chunks.push(chunk);
  return chunks;
}

describe('RunningGeneration', () => {
  it('ends at an end-of-sequence id, which is an id of the result and no text', async () => {
    const { generation } = start();
    feed(generation, [...bytes('abc'), EOS, ...bytes('never')]);
    expect(generation.done).toBe(true);
    expect(await generation.result).toMatchObject({
      text: 'abc',
      ids: [...bytes('abc'), EOS],
      finishReason: 'eos',
      promptIds: bytes('Hi'),
      seed: 9,
    });
  });

  it('goes on past it when told to', async () => {
    const { generation } = start({ ignoreEos: true, limit: 4 });
    feed(generation, [...bytes('a'), EOS, ...bytes('bc')]);
    expect(await generation.result).toMatchObject({ text: 'abc', finishReason: 'length' });
  });

  it.each(['length', 'context'] as const)('ends with its last token (%s)', async (limitReason) => {
    const { generation } = start({ limit: 3, limitReason });
    feed(generation, bytes('abcd'));
    expect(await generation.result).toMatchObject({ text: 'abc', ids: bytes('abc'), finishReason: limitReason });
  });

  it('prefers the end of the sequence to the limit', async () => {
    const { generation } = start({ limit: 2 });
    feed(generation, [...bytes('a'), EOS]);
    expect((await generation.result).finishReason).toBe('eos');
  });

  it('ends at a stop string that spans tokens, and returns nothing of it', async () => {
    const { generation } = start({ stop: ['THE END', 'zzz'] });
    feed(generation, bytes('So. THEN. THE END and more'));
    const result = await generation.result;
    expect(result).toMatchObject({ text: 'So. THEN. ', finishReason: 'stop' });
    expect(result.ids).toEqual(bytes('So. THEN. THE END'));
    const chunks = await collect(generation);
    expect(chunks.map(({ text }) => text).join('')).toBe('So. THEN. ');
    expect(chunks.flatMap(({ ids }) => ids)).toEqual(result.ids);
  });

  it.each<[string, readonly number[], readonly number[], string, FinishReason, number]>([
    ['alone', [], [...bytes('abc'), 262, ...bytes('d')], 'abc', 'stop', 4],
    ['behind a text', [], [...bytes('abc!'), 262, ...bytes('d')], 'abc', 'stop', 5],
    ['before a text', [], [...bytes('ab'), 262, 262, ...bytes('>d')], 'ab', 'stop', 5],
    ['as an id', [262], [...bytes('ab'), 262, ...bytes('d')], 'ab', 'stop', 3],
    ['as an id of a letter', [99], [...bytes('abcd')], 'ab', 'stop', 3],
  ])('ends at a special token that a stop names %s', async (where, stopIds, ids, text, finishReason, count) => {
    const name = '<|begin_of_text|>';
    const stop = { 'behind a text': [`!${name}`], 'before a text': [`${name}>`], alone: ['zzz', name] }[where];
    const { generation } = start({ stop, stopIds, ignoreEos: true });
    feed(generation, ids);
    const result = await generation.result;
    expect(result).toMatchObject({ text, finishReason });
    expect(result.ids).toHaveLength(count);
  });

  it('looks through special tokens that no stop names', async () => {
    const { generation } = start({ stop: ['THE END', '<|eot_id|>x'], ignoreEos: true });
    feed(generation, [...bytes('So. THE'), 262, ...bytes(' '), EOS, ...bytes('END.')]);
    // EOS is named, so it stands between " " and "END" for whoever looks for "THE END".
    generation.finish('length');
    expect(await generation.result).toMatchObject({ text: 'So. THE END.', finishReason: 'length' });
    const { generation: other } = start({ stop: ['THE END'] });
    feed(other, [...bytes('So. THE'), 262, ...bytes(' END.')]);
    expect(await other.result).toMatchObject({ text: 'So. ', finishReason: 'stop' });
  });

  it('hands out text held back for a stop string that did not come', async () => {
    const { generation } = start({ stop: ['THE END'], limit: 6 });
    feed(generation, bytes('go THE'));
    expect(await generation.result).toMatchObject({ text: 'go THE', finishReason: 'length' });
    const chunks = await collect(generation);
    expect(chunks.at(-1)).toEqual({ text: 'THE', ids: [] });
  });

  it('never yields half a character, and marks one that was cut off', async () => {
    const { generation } = start({ limit: 7 });
    feed(generation, bytes('é€😀').slice(0, 7)); // two bytes, three, and two of four
    const chunks = await collect(generation);
    expect(chunks.map(({ text }) => text)).toEqual(['', 'é', '', '', '€', '', '', '\ufffd']);
    expect((await generation.result).text).toBe('é€\ufffd');
  });

  it('works without a tokenizer, for ids alone', async () => {
    const { generation } = start({ tokenizer: false });
    feed(generation, [5, 6, EOS]);
    expect(await generation.result).toMatchObject({ text: '', ids: [5, 6, EOS], finishReason: 'eos' });
  });

  it('passes log-probabilities on with their token', async () => {
    const { generation } = start({ logprobs: 1, limit: 1 });
    const logprobs = { token: { id: 97, logprob: -1 }, top: [{ id: 98, logprob: -0.5 }] };
    generation.push(97, logprobs);
    expect(await collect(generation)).toEqual([{ text: 'a', ids: [97], logprobs: [logprobs] }]);
  });

  it('measures TTFT from the call and TPOT without the first token', async () => {
    const now = vi.spyOn(performance, 'now');
    try {
      now.mockReturnValue(130);
      const { generation } = start({ limit: 4, started: 100 });
      for (const at of [150, 160, 175, 210]) {
        now.mockReturnValue(at);
        generation.push(97);
      }
      expect(await generation.result).toMatchObject({ ttftMs: 50, e2eMs: 110, tpotMs: (110 - 50) / 3 });
      now.mockReturnValue(120);
      const one = start({ limit: 1, started: 100 }).generation;
      one.push(97);
      expect(await one.result).toMatchObject({ ttftMs: 20, e2eMs: 20, tpotMs: undefined });
    } finally {
      now.mockRestore();
    }
  });

  it('gives all chunks to whoever comes late, and to each of several', async () => {
    const { generation } = start({ limit: 3 });
    const early = collect(generation);
    generation.push(97);
    await Promise.resolve();
    const middle = collect(generation);
    feed(generation, [98, 99]);
    const late = collect(generation);
    const texts = (await Promise.all([early, middle, late])).map((chunks) => chunks.map(({ text }) => text).join('|'));
    expect(texts).toEqual(['a|b|c', 'a|b|c', 'a|b|c']);
  });

  it('is cancelled by leaving the loop early, and not by leaving it after the end', async () => {
    const { generation, cancelled } = start();
    generation.push(97);
    expect((await firstChunk(generation))?.text).toBe('a');
    expect(cancelled()).toBe(1);
    expect(await generation.result).toMatchObject({ text: 'a', finishReason: 'abort' });
    generation.push(98);
    expect(generation.ids).toEqual([97]);

    const ended = start({ limit: 2 });
    feed(ended.generation, bytes('ab'));
    expect((await firstChunk(ended.generation))?.text).toBe('a');
    expect(ended.cancelled()).toBe(0);
  });

  it('fails where it is awaited and where it is iterated, after the chunks that came before', async () => {
    const { generation, cancelled } = start();
    generation.push(97);
    const seen: string[] = [];
    const iterated = (async () => {
      for await (const { text } of generation) seen.push(text);
    })();
    iterated.catch(() => undefined);
    await Promise.resolve();
    generation.fail(new Error('lost'));
    generation.fail(new Error('again'));
    generation.finish('abort');
    await expect(iterated).rejects.toThrow('lost');
    await expect(generation.result).rejects.toThrow('lost');
    await expect(collect(generation)).rejects.toThrow('lost');
    expect(seen).toEqual(['a']);
    expect(cancelled()).toBe(0);
  });
});

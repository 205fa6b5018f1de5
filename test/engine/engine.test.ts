import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions, GenerationResult, Prompt } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { Engine } from '../../src/index.js';
import { relativeError } from '../reference/compare.js';
import { loadReferenceLlama, repositoryPath } from '../reference/load.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';
import { adapter, firstChunk, refusal, tinyFolder, withEngine } from './support.js';

interface Request {
  prompt: Prompt;
  options: GenerateOptions;
}

/** Prompts of different lengths, greedy and sampled in every way there is, ending at different times. */
const MIXED: Request[] = [
  { prompt: 'Once upon a time', options: { temperature: 0, maxTokens: 14 } },
  { prompt: 'Lily wanted to find her little red ball. She', options: { temperature: 0.8, seed: 1, maxTokens: 6 } },
  { prompt: 'Ben', options: { temperature: 1, topK: 20, seed: 2, maxTokens: 17 } },
  { prompt: 'The little fox ran', options: { temperature: 0.9, topP: 0.8, seed: 3, maxTokens: 11 } },
  { prompt: 'One rainy morning,', options: { temperature: 0.7, repetitionPenalty: 1.3, seed: 4, maxTokens: 13 } },
  { prompt: 'Long ago,', options: { temperature: 1.1, minP: 0.1, frequencyPenalty: 0.4, seed: 5, maxTokens: 9 } },
  { prompt: 'Sue saw a cat. '.repeat(7), options: { temperature: 0, presencePenalty: 0.5, maxTokens: 7 } },
];

const run = (engine: CoreEngine, { prompt, options }: Request): Promise<GenerationResult> =>
  engine.generate(prompt, { ignoreEos: true, ...options }).result;

async function idsOf(results: Promise<GenerationResult>[]): Promise<number[][]> {
  return (await Promise.all(results)).map(({ ids }) => [...ids]);
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(adapters)('generations together on %s', (name) => {
  // Every kind on the fastest adapter, at full length; otherwise as many as a slow one runs in a few seconds.
  const mixed = isFull && name === adapter ? MIXED : MIXED.filter((_, i) => i % 2 === 0);
  const engines: CoreEngine[] = [];
  const load = async (options: Parameters<typeof Engine.load>[0]): Promise<CoreEngine> => {
    const engine = await Engine.load({ adapter: name, contextLength: 256, ...options });
    engines.push(engine);
    return engine;
  };
  let engine: CoreEngine;
  const alone: number[][] = [];
  beforeAll(async () => {
    engine = await load({ maxSequences: mixed.length, kvCacheTokens: 1024 });
    for (const request of mixed) alone.push([...(await run(engine, request)).ids]);
  });
  afterAll(() => Promise.all(engines.map((loaded) => loaded.dispose())));

  it('give the ids they give alone', async () => {
    expect(await idsOf(mixed.map((request) => run(engine, request)))).toEqual(alone);
  });

  it('give the ids they give alone when they come and go', async () => {
    const results: Promise<GenerationResult>[] = [];
    const passing = new AbortController();
    for (const [i, request] of mixed.entries()) {
      if (i === 2) engine.generate('A passer-by', { ignoreEos: true, maxTokens: 200, signal: passing.signal });
      if (i === 3) passing.abort();
      results.push(run(engine, request));
      await later(3 + 5 * (i % 3));
    }
    expect(await idsOf(results)).toEqual(alone);
  });

  it.runIf(isFull)('give the ids they give alone when they must wait, their prompts in pieces', async () => {
    const small = await load({ maxSequences: 2, kvCacheTokens: 160, prefillChunk: 7 });
    const passing = new AbortController();
    const long = small.generate('A passer-by. '.repeat(12), { ignoreEos: true, signal: passing.signal });
    setTimeout(() => passing.abort(), 5); // in the middle of its prompt
    expect(await idsOf(mixed.map((request) => run(small, request)))).toEqual(alone);
    expect((await long.result).finishReason).toBe('abort');
  });
});

describe('a running engine', () => {
  let engine: CoreEngine;
  beforeAll(async () => {
    engine = await Engine.load({ adapter, maxSequences: 4, kvCacheTokens: 1024 });
  });
  afterAll(() => engine.dispose());

  const STORY = 'Once upon a time';
  const greedy = (options: GenerateOptions = {}) =>
    engine.generate(STORY, { temperature: 0, maxTokens: 12, ...options }).result;

  it('describes itself', () => {
    expect(engine.info).toMatchObject({ model: 'tiny-tales', dtype: 'f16', kvDtype: 'f32', contextLength: 512 });
    expect(engine.info.parameters).toBeGreaterThan(3e6);
    expect(engine.info.adapter).not.toBe('');
    expect(engine.info.tier).not.toBe('');
    expect(engine.info.weightBytes).toBeGreaterThan(6e6);
    expect(engine.timings.total).toBeGreaterThan(0);
    expect(engine.hasTokenizer).toBe(true);
    expect(engine.detokenize(engine.tokenize(STORY))).toBe(STORY);
  });

  it('streams what it returns', async () => {
    const generation = engine.generate(STORY, { temperature: 0, maxTokens: 12 });
    let text = '';
    const ids: number[] = [];
    for await (const chunk of generation) {
      text += chunk.text;
      ids.push(...chunk.ids);
    }
    const result = await generation.result;
    expect(text).toBe(result.text);
    expect(ids).toEqual(result.ids);
    expect(result.text).toBe(engine.detokenize([...result.promptIds, ...ids]).slice(STORY.length));
    expect(result.ttftMs).toBeGreaterThan(0);
    expect(result.tpotMs).toBeCloseTo((result.e2eMs - result.ttftMs) / 11, 9);
  });

  it('takes ids for text', async () => {
    const ids = engine.tokenize(STORY);
    const result = await engine.generate(ids, { temperature: 0, maxTokens: 12 }).result;
    expect(result.ids).toEqual((await greedy()).ids);
    expect(result.promptIds).toEqual(ids);
  });

  it.runIf(isFull)('reproduces a sample from its seed, and reports a seed it chose', async () => {
    const sampled = (seed?: number) => engine.generate(STORY, { temperature: 1, seed, maxTokens: 20 }).result;
    const [a, b, other, random] = await Promise.all([sampled(11), sampled(11), sampled(12), sampled()]);
    expect(a.ids).toEqual(b.ids);
    expect(other.ids).not.toEqual(a.ids);
    expect((await sampled(random.seed)).ids).toEqual(random.ids);
  });

  it('ends for each reason there is', async () => {
    const story = await greedy({ maxTokens: 400 });
    expect(story.finishReason).toBe('eos');
    expect(story.ids.at(-1)).toBe(2);
    expect(story.text).not.toContain('</s>');
    expect((await greedy()).finishReason).toBe('length');
    // Nine characters in the middle of the story surely cross a token boundary.
    const stop = story.text.slice(31, 40);
    const stopped = await greedy({ maxTokens: 400, stop: [stop] });
    expect(stopped.finishReason).toBe('stop');
    expect(stopped.text).toBe(story.text.slice(0, story.text.indexOf(stop)));
  });

  it.runIf(isFull)('stops at the model’s own length unless told otherwise', async () => {
    // `max_length` of the embedded model's generation_config.json counts prompt and text together.
    const result = await engine.generate(STORY, { ignoreEos: true }).result;
    expect(result.finishReason).toBe('length');
    expect(result.promptIds.length + result.ids.length).toBe(256);
  });

  it('reports log-probabilities that agree with float64', async () => {
    const reference = loadReferenceLlama(repositoryPath('models/tiny-tales'));
    const generation = engine.generate(STORY, { temperature: 0, maxTokens: 8, logprobs: 5 });
    const reported = [];
    for await (const chunk of generation) reported.push(...(chunk.logprobs ?? []));
    const { promptIds, ids } = await generation.result;
    expect(reported).toHaveLength(8);
    const rows = reference.forward([...promptIds, ...ids]);
    reported.forEach(({ token, top }, i) => {
      const logits = rows[promptIds.length - 1 + i];
      const best = Math.max(...logits);
      const norm = best + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - best), 0));
      expect(token.id).toBe(ids[i]);
      expect(top[0]).toEqual(token); // greedy
      expect(top).toHaveLength(5);
      expect(top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeLessThanOrEqual(1 + 1e-6);
      // Weights are f16 in the file and on the GPU, so all that differs is f32 arithmetic.
      const expected = top.map(({ id }) => logits[id] - norm);
      const found = top.map(({ logprob }) => logprob);
      expect(relativeError(found, expected)).toBeLessThan(2e-3);
    });
  });

  it('counts the chosen token where it is not among the likeliest, and mixes with requests that want none', async () => {
    const [first] = (await greedy()).ids;
    const generation = engine.generate(STORY, { maxTokens: 1, logitBias: { [first]: -Infinity }, logprobs: 1 });
    const [plain] = await Promise.all([greedy(), generation.result]);
    for await (const chunk of generation) {
      const { token, top } = chunk.logprobs![0];
      expect(top[0].id).toBe(first); // before the bias
      expect(token.id).not.toBe(first);
      expect(token.logprob).toBeLessThan(top[0].logprob);
    }
    expect(plain.ids).toHaveLength(12);
  });

  it('forbids and forces tokens', async () => {
    const plain = await greedy();
    const forbidden = await greedy({ logitBias: { [plain.ids[3]]: -Infinity } });
    expect(forbidden.ids.slice(0, 3)).toEqual(plain.ids.slice(0, 3));
    expect(forbidden.ids).not.toContain(plain.ids[3]);
    const forced = await engine.generate(STORY, { temperature: 1, logitBias: { 300: 1e9 }, maxTokens: 4 }).result;
    expect(forced.ids).toEqual([300, 300, 300, 300]);
    expect((await greedy()).ids).toEqual(plain.ids); // nothing stays behind in the slot
  });

  it.runIf(isFull)('penalises what was said', async () => {
    const plain = (await greedy({ maxTokens: 60 })).ids;
    for (const options of [{ repetitionPenalty: 1.5 }, { presencePenalty: 20 }, { frequencyPenalty: 20 }]) {
      const { ids } = await greedy({ maxTokens: 60, ...options });
      expect(ids).not.toEqual(plain);
      expect(new Set(ids).size).toBeGreaterThan(new Set(plain).size);
    }
    // Twenty is more than logits differ by, so that nothing is said twice.
    const { ids } = await greedy({ maxTokens: 60, presencePenalty: 100, ignoreEos: true });
    expect(new Set(ids).size).toBe(60);
  });

  it('aborts before, while and after it runs', async () => {
    const before = await greedy({ signal: AbortSignal.abort() });
    expect(before).toMatchObject({ finishReason: 'abort', ids: [], text: '' });

    const controller = new AbortController();
    const generation = engine.generate(STORY, { ignoreEos: true, maxTokens: 400, signal: controller.signal });
    let chunks = 0;
    for await (const { ids } of generation) if ((chunks += ids.length) === 3) controller.abort();
    const during = await generation.result;
    expect(during.finishReason).toBe('abort');
    expect(during.ids.length).toBeGreaterThanOrEqual(3);
    expect(during.ids.length).toBeLessThan(20);

    const after = new AbortController();
    const done = await greedy({ signal: after.signal });
    after.abort();
    expect(done.finishReason).toBe('length');
    expect((await greedy()).ids).toEqual(done.ids);
  });

  it('keeps to a constraint, and ends only the generation whose constraint fails', async () => {
    const beside = greedy();
    const vocab = engine.config.vocab;
    const mask = new Uint32Array(Math.ceil(vocab / 32)).fill(0xffffffff);
    const free = await greedy({ constraint: { allowed: () => mask, accept: () => undefined } });
    expect(free.ids).toEqual((await beside).ids);

    const seen: number[] = [];
    const bad = {
      allowed: () => mask,
      accept(id: number) {
        seen.push(id);
        if (seen.length === 3) throw new RangeError('enough');
      },
    };
    const [failed, good] = await Promise.allSettled([greedy({ constraint: bad }), greedy()]);
    expect(failed).toMatchObject({ status: 'rejected', reason: new RangeError('enough') });
    expect(good).toMatchObject({ status: 'fulfilled', value: { ids: free.ids } });
    expect(seen).toEqual(free.ids.slice(0, 3));
    expect(
      await refusal('usage', () =>
        greedy({ constraint: { allowed: () => new Uint32Array(64), accept: () => undefined } }),
      ),
    ).toMatch(/^the constraint allows no token after 0 generated ones/);
    expect(engine.stats()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('finds a prompt it has computed before', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => 3 + ((i * 37) % 2000));
    const first = await engine.generate(ids, { maxTokens: 4 }).result;
    const again = await engine.generate(ids, { maxTokens: 4 }).result;
    expect([first.cachedTokens, again.cachedTokens]).toEqual([0, 96]);
    expect(again.ids).toEqual(first.ids);
    const other = await engine.generate([...ids.slice(0, 50), 7, ...ids.slice(50)], { maxTokens: 4 }).result;
    expect(other.cachedTokens).toBe(48);
  });

  it('aborts when the loop is left, and while it waits for room', async () => {
    const long = { ignoreEos: true, maxTokens: 400 };
    const waiting = new AbortController();
    const running = [0, 1, 2, 3].map(() => engine.generate(STORY, long)); // all slots there are
    const queued = engine.generate(STORY, { ...long, signal: waiting.signal });
    await running[0][Symbol.asyncIterator]().next();
    expect(engine.stats()).toMatchObject({ waiting: 1, running: 4 });
    waiting.abort();
    expect(await queued.result).toMatchObject({ finishReason: 'abort', ids: [] });
    for (const generation of running) await firstChunk(generation);
    for (const { result } of running) expect((await result).finishReason).toBe('abort');
    expect((await greedy()).ids).toHaveLength(12);
  });

  it.runIf(isFull)('refuses a prompt or an option at once, and stays usable', async () => {
    expect(await refusal('prompt', () => engine.generate([]))).toMatch(/the prompt has no tokens; give some text/);
    expect(await refusal('prompt', () => engine.generate([1, 2048]))).toBe(
      'token id 2048 is not in the vocabulary, whose ids are 0 to 2047',
    );
    expect(await refusal('prompt', () => engine.generate([1.5]))).toMatch(/^token id 1.5/);
    expect(await refusal('prompt', () => engine.generate(new Array<number>(512).fill(5)))).toBe(
      'the prompt has 512 tokens, but the context is 512; shorten it',
    );
    expect(await refusal('usage', () => engine.generate(undefined as unknown as string))).toMatch(
      /^the prompt must be/,
    );
    expect(await refusal('usage', () => engine.generate(STORY, { temperature: -1 }))).toMatch(/^temperature must be/);
    expect(await refusal('usage', () => engine.generate(STORY, { maxTokens: 0 }))).toMatch(/^maxTokens must be/);
    expect(await refusal('usage', () => engine.chatPrompt([]))).toMatch(/has no chat template; use generate/);
    const last = await engine.generate(new Array<number>(511).fill(5), { temperature: 0, ignoreEos: true }).result;
    expect(last).toMatchObject({ finishReason: 'context' });
    expect(last.ids).toHaveLength(1);
  });
});

describe('an engine that ends', () => {
  const load = (options = {}) => Engine.load({ adapter, maxSequences: 1, contextLength: 256, ...options });

  it('aborts what runs and what waits, and refuses what comes', async () => {
    const engine = await load();
    const long = { ignoreEos: true, maxTokens: 200 };
    const running = engine.generate('Ben', long);
    const waiting = engine.generate('Tom', long);
    const iterator = running[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    await Promise.all([engine.dispose(), engine.dispose()]);
    expect((await running.result).finishReason).toBe('abort');
    expect((await waiting.result).finishReason).toBe('abort');
    expect(await refusal('usage', () => engine.generate('Ben'))).toBe('the engine was disposed; load another');
    await engine.dispose();
  });

  it.runIf(isFull)('ends at the end of its block', async () => {
    const engine = await load();
    // What `await using` calls; Node 20 has the symbol and not the syntax.
    await engine[Symbol.asyncDispose]();
    expect(await refusal('usage', () => engine.generate('Ben'))).toMatch(/disposed/);
  });
});

describe('engine options', () => {
  const ids = [1, 5, 9, 13];
  const greedy = { temperature: 0, ignoreEos: true, maxTokens: 10 };

  it.runIf(isFull)('run a folder without tokenizer from ids only', async () => {
    await withEngine({ model: tinyFolder(), maxSequences: 2 }, async (engine) => {
      expect(engine.hasTokenizer).toBe(false);
      expect(await engine.generate(ids, greedy).result).toMatchObject({ text: '', finishReason: 'length' });
      expect(await refusal('usage', () => engine.generate('text'))).toMatch(/has no tokenizer.json; give token ids/);
      expect(await refusal('usage', () => engine.generate(ids, { stop: ['x'] }))).toMatch(/^stop needs a tokenizer/);
    });
  });

  it('say where a sequence’s length ends', async () => {
    const model = tinyFolder();
    await withEngine({ model, contextLength: 40, kvCacheTokens: 32 }, async (engine) => {
      expect(engine.info.contextLength).toBe(40);
      // Nobody named a length, so it is the context's, here the cache's: 32 places and a last token that needs none.
      const result = await engine.generate(ids, { temperature: 0, ignoreEos: true }).result;
      expect(result.finishReason).toBe('context');
      expect(result.ids).toHaveLength(33 - ids.length);
      const prompt = (length: number) => () => engine.generate(new Array<number>(length).fill(1));
      expect(await refusal('prompt', prompt(33))).toBe(
        'the prompt has 33 tokens, but the KV cache has room for 32; shorten it or load with a larger kvCacheTokens',
      );
      expect(await refusal('prompt', prompt(40))).toBe(
        'the prompt has 40 tokens, but the context is 40; shorten it or ask for up to 128 with contextLength',
      );
    });
  });

  it.runIf(isFull)('hold weights and cache in other types', async () => {
    const model = tinyFolder();
    const lengths = new Set<number>();
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      for (const kvDtype of ['f32', 'f16', 'int8'] as const) {
        await withEngine({ model, dtype, kvDtype, maxSequences: 1 }, async (engine) => {
          expect(engine.info).toMatchObject({ dtype, kvDtype });
          // Heads of 8 numbers; int8 has a scale of four bytes beside them.
          lengths.add(engine.info.kvCacheBytes * { f32: 1, f16: 2, int8: 32 / 12 }[kvDtype]);
          expect((await engine.generate(ids, greedy).result).ids).toHaveLength(10);
        });
      }
    }
    expect(lengths.size).toBe(1);
  });

  it.runIf(isFull)('make the same synthetic model every time', async () => {
    const options = { model: tinyFolder({ num_hidden_layers: 3 }), weights: 'synthetic' } as const;
    const once = () => withEngine(options, async (engine) => (await engine.generate(ids, greedy).result).ids);
    expect(await once()).toEqual(await once());
  });

  it.runIf(isFull)('report loading as it goes', async () => {
    const stages = new Map<string, { done: number; total: number }>();
    await withEngine(
      { model: tinyFolder(), onProgress: ({ stage, done, total }) => void stages.set(stage, { done, total }) },
      ({ info }) => expect(stages.get('weights')).toEqual({ done: info.weightBytes, total: info.weightBytes }),
    );
    expect(stages.get('pipelines')!.done).toBe(stages.get('pipelines')!.total);
  });

  it.runIf(isFull)('stop loading when aborted', async () => {
    const controller = new AbortController();
    const loading = Engine.load({
      adapter,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'weights' && controller.abort(),
    });
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  });

  const wrong: [Record<string, unknown>, string][] = [
    [{ contextLength: 0 }, 'contextLength must be a whole number of at least 1, found 0'],
    [{ contextLength: 129 }, 'contextLength 129 is more than the 128 positions the model was made for'],
    [{ maxSequences: 1.5 }, 'maxSequences must be a whole number of at least 1, found 1.5'],
    [{ prefillChunk: -1 }, 'prefillChunk must be a whole number of at least 1, found -1'],
    [{ policy: 'fair' }, 'policy must be one of chunked, prefill-first, decode-priority, static, found "fair"'],
    [{ decodeSloMs: 0 }, 'decodeSloMs must be a number above 0, found 0'],
    [{ speculate: { lookup: 0, tokens: 4 } }, 'speculate.lookup must be a whole number of at least 1, found 0'],
    [{ maxBatchedTokens: 7 }, 'maxBatchedTokens must be at least 8, one for each of 8 sequences, found 7'],
    [
      { maxBatchedTokens: 39, speculate: { lookup: 2, tokens: 4 } },
      'maxBatchedTokens must be at least 40, one for each of 8 sequences and 4 guesses each, found 39',
    ],
    [{ kvCacheBytes: 100 }, 'kvCacheBytes must be at least 4096, a block of 16 tokens, found 100'],
    [
      { kvCacheTokens: 64, kvCacheBytes: 1 << 20 },
      'kvCacheTokens and kvCacheBytes must not both be given; leave one out',
    ],
    [{ kvCacheTokens: 0 }, 'kvCacheTokens must be a whole number of at least 1, found 0'],
    [{ dtype: 'int3' }, 'dtype must be one of auto, f16, bf16, f32, int8, int4, found "int3"'],
    [
      { activations: 'int8' },
      'activations in int8 need weights in int8, and these are f16; ask for dtype int8, or leave it out',
    ],
    [{ kvDtype: 'bf16' }, 'kvDtype must be one of auto, f16, f32, int8, found "bf16"'],
    [{ weights: 'none' }, 'weights must be one of checkpoint, synthetic, found "none"'],
  ];
  it('are refused one by one', async () => {
    const model = tinyFolder();
    for (const [options, message] of wrong) {
      expect(await refusal('usage', () => Engine.load({ adapter, model, ...options }))).toBe(message);
    }
  });
});

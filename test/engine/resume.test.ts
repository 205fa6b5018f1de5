import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { compileJsonConstraint } from '../../src/grammar/index.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { adapters } from '../support/adapters.js';
import { chosen } from '../support/scale.js';
import { adapter, firstChunk, refusal } from './support.js';

const TOKENS = 24;
const KINDS: Record<string, GenerateOptions> = {
  greedy: { temperature: 0 },
  seeded: { temperature: 0.9, seed: 5 },
  'with penalties and biases': {
    ...{ temperature: 1, seed: 6, topP: 0.9, repetitionPenalty: 1.2, presencePenalty: 0.3 },
    ...{ frequencyPenalty: 0.4, logitBias: { 402: -3 } },
  },
};

describe.each(chosen(adapters, (each) => each === adapter))('going on from ids on %s', (name) => {
  let first: CoreEngine;
  let second: CoreEngine;
  beforeAll(async () => {
    const options = { adapter: name, kvCacheTokens: 1024 };
    [first, second] = await Promise.all([startEngine(options, nodeHost), startEngine(options, nodeHost)]);
  });
  afterAll(() => Promise.all([first.dispose(), second.dispose()]));

  it.each(chosen(Object.entries(KINDS), ([kind]) => kind === 'with penalties and biases'))(
    'another engine gives the ids and the text that one gives, %s',
    async (_, kind) => {
      const options = { ...kind, maxTokens: TOKENS, ignoreEos: true };
      const prompt = first.tokenize('Once upon a time there was a little fox');
      const whole = await first.generate(prompt, options).result;
      for (const known of [1, 7, TOKENS - 1]) {
        const generation = second.generate(prompt, { ...options, resume: whole.ids.slice(0, known) });
        const fresh: number[] = [];
        for await (const { ids } of generation) fresh.push(...ids);
        const { ids, text, finishReason } = await generation.result;
        expect(ids).toEqual(whole.ids);
        expect(fresh).toEqual(whole.ids.slice(known));
        expect([text, finishReason]).toEqual([whole.text, 'length']);
      }
      expect(second.stats()).toMatchObject({ waiting: 0, running: 0 });
    },
  );
});

describe('going on from ids', () => {
  let engine: CoreEngine;
  beforeAll(async () => {
    engine = await startEngine({ adapter, kvCacheTokens: 1024 }, nodeHost);
  });
  afterAll(() => engine.dispose());

  it('tells a constraint of the ids again', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string', maxLength: 8 } }, required: ['name'] };
    const compiled = compileJsonConstraint(schema, engine.vocabulary!);
    const options = { temperature: 0.8, seed: 3, maxTokens: 40 };
    const whole = await engine.generate('A name:', { ...options, constraint: compiled.create() }).result;
    expect(JSON.parse(whole.text)).toHaveProperty('name');
    const resume = whole.ids.slice(0, 5);
    const rest = await engine.generate('A name:', { ...options, constraint: compiled.create(), resume }).result;
    expect(rest.ids).toEqual(whole.ids);
    const wrong = (): unknown =>
      engine.generate('A name:', { ...options, constraint: compiled.create(), resume: [...whole.ids.slice(0, 3), 1] });
    expect(await refusal('usage', wrong)).toMatch(/^resume has token 1 at place 3, which the constraint/);
  });

  it('ends at once where the ids end it', async () => {
    const whole = await engine.generate('Once upon a time', { maxTokens: 9 }).result;
    const stop = [whole.text.slice(3, 9)];
    const { ids } = await engine.generate('Once upon a time', { maxTokens: 9, stop }).result;
    const generation = engine.generate('Once upon a time', { maxTokens: 9, stop, resume: ids });
    expect(await firstChunk(generation)).toBeUndefined();
    expect(await generation.result).toMatchObject({ ids, finishReason: 'stop' });
    const full = engine.generate('Once upon a time', { maxTokens: 9, resume: whole.ids });
    expect(await full.result).toMatchObject({ ids: whole.ids, finishReason: 'length', text: whole.text });
  });

  it('refuses ids that are none, and more than may be generated', async () => {
    const generate = (resume: unknown) => (): unknown =>
      engine.generate('Once', { maxTokens: 2, resume: resume as number[] });
    expect(await refusal('usage', generate('one'))).toMatch(/^resume must be a list of token ids, found "one"/);
    expect(await refusal('usage', generate([1e9]))).toMatch(/^resume names token 1000000000, but/);
    expect(await refusal('usage', generate([3, 4, 5]))).toMatch(/^resume has 3 ids, but at most 2/);
  });
});

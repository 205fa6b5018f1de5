import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { EmbedOptions, Embeddings, Prompt } from '../../src/engine/api.js';
import { RidgepointError } from '../../src/errors.js';
import { option, words } from '../../src/wording.js';
import { FakeEngine } from './fake-engine.js';
import { inFlight, post, start } from './support.js';

interface Listed {
  readonly data: readonly { readonly object: string; readonly index: number; readonly embedding: number[] | string }[];
}

const asList = (input: Prompt | readonly Prompt[]): Prompt[] =>
  typeof input === 'string' || typeof input[0] === 'number' ? [input as Prompt] : [...(input as readonly Prompt[])];

/** An engine whose vectors are known: (a third, the input's length, 1, 2, ...). */
class Embedding extends FakeEngine {
  asked: EmbedOptions[] = [];

  embed(input: Prompt | readonly Prompt[], options: EmbedOptions = {}): Promise<Embeddings> {
    this.asked.push(options);
    const tokens = asList(input).map(({ length }) => length);
    const { dimensions = this.config.hidden } = options;
    return Promise.resolve({
      vectors: tokens.map((count) => Float32Array.from({ length: dimensions }, (_, i) => [1 / 3, count][i] ?? i - 1)),
      tokens,
    });
  }
}

const failing = (error: Error): FakeEngine => Object.assign(new FakeEngine(), { embed: () => Promise.reject(error) });

describe('/v1/embeddings', () => {
  it('takes every form of input and answers in OpenAI’s words', async () => {
    const engine = new Embedding();
    const { url } = await start(engine, { modelNames: ['named'] });
    for (const [input, lengths] of [
      ['abc', [3]],
      [
        ['abc', 'defg'],
        [3, 4],
      ],
      [[5, 6], [2]],
      [
        [[5, 6], [7]],
        [2, 1],
      ],
    ] as const) {
      const { status, body } = await post(`${url}/v1/embeddings`, { input, model: 'named', user: 'me', dimensions: 3 });
      const total = lengths.reduce((sum: number, each) => sum + each, 0);
      expect(status).toBe(200);
      expect(body).toEqual({
        object: 'list',
        data: lengths.map((count, index) => ({ object: 'embedding', index, embedding: [0.333333343, count, 1] })),
        model: 'named',
        usage: { prompt_tokens: total, total_tokens: total },
      });
      expect(Math.fround(0.333333343)).toBe(Math.fround(1 / 3));
    }
    expect(engine.asked.every(({ dimensions }) => dimensions === 3)).toBe(true);
  });

  it('gives base64 of little-endian f32, which the openai client asks for and reads', async () => {
    const { url } = await start(new Embedding());
    const { body } = await post(`${url}/v1/embeddings`, { input: 'abcd', dimensions: 2, encoding_format: 'base64' });
    const bytes = Buffer.from((body as unknown as Listed).data[0].embedding as string, 'base64');
    expect([bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([8, Math.fround(1 / 3), 4]);
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });
    const answer = await client.embeddings.create({ model: '', input: ['ab', 'abcd'], dimensions: 2 });
    expect(answer.data.map(({ embedding }) => [...embedding])).toEqual([
      [Math.fround(1 / 3), 2],
      [Math.fround(1 / 3), 4],
    ]);
    expect(answer.usage.total_tokens).toBe(6);
  });

  it('takes texts without special tokens and vectors of any length where it is asked to', async () => {
    const engine = new Embedding();
    const inputs: unknown[] = [];
    const embed = engine.embed.bind(engine);
    engine.embed = (input, options) => (inputs.push(input), embed(input, options));
    const { url } = await start(engine);
    for (const input of ['ab', ['ab', 'c'], [5, 6], [[5, 6]]]) {
      const fields = { input, add_special_tokens: false, normalize: false };
      expect((await post(`${url}/v1/embeddings`, fields)).status).toBe(200);
    }
    expect(inputs).toEqual([[[97, 98]], [[97, 98], [99]], [5, 6], [[5, 6]]]);
    expect(engine.asked.map(({ normalize }) => normalize)).toEqual([false, false, false, false]);
    await post(`${url}/v1/embeddings`, { input: 'ab' });
    expect([inputs.at(-1), engine.asked.at(-1)!.normalize]).toEqual(['ab', undefined]);
  });

  it('sends a long list, and gives its place back', async () => {
    const { server, url } = await start(new Embedding(), { capacity: 1 });
    const { body } = await post(`${url}/v1/embeddings`, { input: Array(2048).fill('ab') });
    expect((body as unknown as Listed).data.map(({ index }) => index)).toEqual(
      Array.from({ length: 2048 }, (_, i) => i),
    );
    expect(await inFlight(server)).toBe(0);
  });

  it('refuses what is none, naming the field', async () => {
    const engine = new Embedding();
    const { url } = await start(engine);
    const cases: [object, string][] = [
      ...['', [], [''], ['a', 5], [5, -1], [[]], [[5], 'a'], 7, undefined].map((input): [object, string] => [
        { input },
        'input',
      ]),
      [{ input: Array(2049).fill('a') }, 'input'],
      [{ input: 'a', encoding_format: 'f16' }, 'encoding_format'],
      [{ input: 'a', dimensions: 0 }, 'dimensions'],
      [{ input: 'a', dimensions: engine.config.hidden + 1 }, 'dimensions'],
      [{ input: 'a'.repeat(1_000_000) }, 'input'],
      [{ input: ['a', 'a'.repeat(1_000_000)] }, 'input[1]'],
    ];
    for (const [fields, param] of cases) {
      const { status, body } = await post(`${url}/v1/embeddings`, fields);
      expect([status, body.error], JSON.stringify(fields).slice(0, 80)).toMatchObject([400, { param }]);
    }
    expect(engine.asked).toEqual([]);
    expect((await post(`${url}/v1/embeddings`, { input: 'a', model: 'other' })).status).toBe(404);
  });

  it('says what the engine has against it', async () => {
    const cases: [FakeEngine, object][] = [
      [
        failing(new RidgepointError('usage', words`load with ${option('pooling', 'mean')}`, { option: 'pooling' })),
        { param: 'model', code: 'embeddings_not_supported', message: 'load with --pooling mean' },
      ],
      [failing(new RidgepointError('prompt', 'input 1 is long')), { param: 'input', message: 'input 1 is long' }],
      [
        new FakeEngine(),
        { code: 'embeddings_not_supported', message: expect.stringMatching(/router.*serve/) as string },
      ],
    ];
    for (const [engine, error] of cases) {
      const { url } = await start(engine);
      expect(await post(`${url}/v1/embeddings`, { input: 'x' })).toMatchObject({ status: 400, body: { error } });
    }
  });
});

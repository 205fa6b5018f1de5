import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { adapter, checkpointFile, reference, refusal, TINY, tinyTensors, writeFolder } from '../engine/support.js';
import { maxAbsError, random } from '../reference/compare.js';
import { rmsNorm } from '../reference/ops.js';
import { post, start } from './support.js';

const { hidden_size: HIDDEN, head_dim: HEAD_DIM, rms_norm_eps: EPS } = TINY;

/** A Qwen3 as models for embeddings are published: the layers alone, under names of their own. */
const CONFIG = { ...TINY, architectures: ['Qwen3Model'], model_type: 'qwen3' };
const full = { ...tinyTensors() };
const numbers = random(5);
for (const name of [0, 1].flatMap((layer) => [`${layer}.self_attn.q_norm`, `${layer}.self_attn.k_norm`])) {
  const values = Float32Array.from(numbers.uniform(HEAD_DIM, 0.5, 1.5));
  full[`model.layers.${name}.weight`] = { shape: [HEAD_DIM], values };
}
const bare = Object.fromEntries(
  Object.entries(full)
    .filter(([name]) => name !== 'lm_head.weight')
    .map(([name, tensor]) => [name.replace(/^model\./, ''), tensor]),
);

const PROMPTS = [
  [5, 6, 7, 8, 9],
  [41, 12],
];

/** In float64: the last row after the final norm, of length 1, of its first numbers alone where fewer are wanted. */
function expected(ids: readonly number[], dimensions = HIDDEN): number[] {
  const rows = reference(full, CONFIG).hidden(ids);
  const normed = rmsNorm(rows, Float64Array.from(full['model.norm.weight'].values), EPS);
  const vector = [...normed.subarray(normed.length - HIDDEN)].slice(0, dimensions);
  return vector.map((each) => each / Math.hypot(...vector));
}

describe('a model that was saved without a head', () => {
  let engine: CoreEngine;
  let url: string;
  let client: OpenAI;
  beforeAll(async () => {
    const files = { 'config.json': JSON.stringify(CONFIG), 'model.safetensors': checkpointFile(bare) };
    engine = await startEngine({ adapter, model: writeFolder(files), dtype: 'f32', contextLength: 64 }, nodeHost);
  });
  beforeEach(async () => {
    ({ url } = await start(engine, { modelNames: ['vectors'] }));
    client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(() => engine.dispose());

  it('embeds by its last rows, as a computation in float64 has them, for the official client too', async () => {
    const { data, usage } = await client.embeddings.create({ model: 'vectors', input: PROMPTS });
    data.forEach(({ embedding }, at) => expect(maxAbsError(embedding, expected(PROMPTS[at]))).toBeLessThan(1e-4));
    expect(usage).toEqual({ prompt_tokens: 7, total_tokens: 7 });
    const cut = await client.embeddings.create({
      ...{ model: 'vectors', input: PROMPTS[0], dimensions: 4, encoding_format: 'float' },
    });
    expect(maxAbsError(cut.data[0].embedding, expected(PROMPTS[0], 4))).toBeLessThan(1e-4);
  });

  it('says what is wrong with an input', async () => {
    const cases: [unknown, RegExp][] = [
      [[5, TINY.vocab_size], /^input 0 has token id 61, but ids are 0 to 60$/],
      [[[5], Array(65).fill(5)], /^input 1 has 65 tokens, but the context is 64; shorten it$/],
      ['text', /has no tokenizer\.json; give token ids instead of text$/],
    ];
    for (const [input, message] of cases) {
      const answer = await post(`${url}/v1/embeddings`, { input });
      expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(message) as string } } }); // prettier-ignore
    }
  });

  it('refuses to write, in one sentence, whoever asks', async () => {
    const why =
      /was saved without lm_head, as models for embeddings are, and writes no text; ask it for embeddings, or /;
    expect(await refusal('usage', () => engine.generate([5]).result)).toMatch(why);
    const messages = [{ role: 'user', content: 'hello' }];
    for (const [route, body] of [
      ['chat/completions', { messages }],
      ['completions', { prompt: [5] }],
      ['responses', { input: 'hello' }],
      ['messages', { messages, max_tokens: 4 }],
    ] as const) {
      const { status, body: answer } = await post(`${url}/v1/${route}`, { model: 'vectors', ...body });
      expect([status, answer.error], route).toMatchObject([400, { message: expect.stringMatching(why) as string }]);
    }
    const refused = await post(`${url}/v1/completions`, { prompt: [5] });
    expect(refused.body.error).toMatchObject({ code: 'generation_not_supported', param: 'model' });
  });

  it('is counted in /metrics by what it embedded', async () => {
    const read = async (): Promise<number[]> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return ['requests', 'tokens'].map((what) =>
        Number(new RegExp(`^ridgepoint_embedding_${what}_total\\{[^}]*\\} (\\d+)$`, 'm').exec(text)![1]),
      );
    };
    expect(await read()).toEqual([0, 0]);
    await post(`${url}/v1/embeddings`, { input: PROMPTS });
    await post(`${url}/v1/embeddings`, { input: [] });
    expect(await read()).toEqual([1, 7]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { maxAbsError, random } from '../reference/compare.js';
import type { ReferenceLlama } from '../reference/llama.js';
import { rmsNorm } from '../reference/ops.js';
import { rounded } from '../support/weights.js';
import { adapter, checkpointFile, reference, refusal, TINY, tinyFolder, tinyTensors } from './support.js';

const { hidden_size: HIDDEN, vocab_size: VOCAB } = TINY;
const CHUNK = 16;

/** Tensors whose matrices are numbers of f16. */
function halfTensors(): ReturnType<typeof tinyTensors> {
  const tensors = tinyTensors();
  for (const { shape, values } of Object.values(tensors)) {
    if (shape.length === 2) values.set(rounded(Float64Array.from(values), 'f16'));
  }
  return tensors;
}

const tensors = halfTensors();
const folder = tinyFolder({}, checkpointFile(tensors));

/** A prompt of so many tokens. */
const prompt = (length: number, seed: number): number[] => {
  const numbers = random(seed);
  return Array.from({ length }, () => 3 + numbers.integer(VOCAB - 3));
};
/** Shorter and longer than a chunk, and one that ends with one. */
const LENGTHS = [1, 40, 7, 16, 33, 2, 128, 5];
const PROMPTS = LENGTHS.map((length, at) => prompt(length, 50 + at));

function expected(model: ReferenceLlama, ids: readonly number[], pooling: 'mean' | 'last'): number[] {
  const rows = rmsNorm(model.hidden(ids), Float64Array.from(tensors['model.norm.weight'].values), TINY.rms_norm_eps);
  return Array.from({ length: HIDDEN }, (_, i) => {
    const column = ids.map((_, row) => rows[row * HIDDEN + i]);
    return pooling === 'last' ? column.at(-1)! : column.reduce((sum, each) => sum + each, 0) / ids.length;
  });
}

const unit = (vector: readonly number[]): number[] => {
  const length = Math.hypot(...vector);
  return vector.map((each) => each / length);
};

describe.each(['f32', 'f16'] as const)('embeddings with weights in %s', (dtype) => {
  let engine: CoreEngine;
  const model = reference(tensors);
  beforeAll(async () => {
    engine = await startEngine({ adapter, model: folder, dtype, pooling: 'mean', prefillChunk: CHUNK }, nodeHost);
  });
  afterAll(() => engine.dispose());

  it.each(['mean', 'last'] as const)('are the %s of the reference model’s normed rows', async (pooling) => {
    const plain = await engine.embed(PROMPTS, { pooling, normalize: false });
    const normed = await engine.embed(PROMPTS, { pooling });
    expect(plain.tokens).toEqual(LENGTHS);
    PROMPTS.forEach((ids, at) => {
      const wanted = expected(model, ids, pooling);
      expect(maxAbsError(plain.vectors[at], wanted), `input ${at}`).toBeLessThan(1e-4);
      expect(maxAbsError(normed.vectors[at], unit(wanted)), `input ${at}`).toBeLessThan(1e-4);
    });
    expect(engine.stats()).toMatchObject({ waiting: 0, running: 0, kvBlocksFree: engine.stats().kvBlocks });
  });

  it('are the same alone, in a list and beside what is generated, whose ids stay what they were', async () => {
    const options = { temperature: 0, maxTokens: 40, ignoreEos: true };
    const alone = await engine.generate(PROMPTS[1], options).result;
    const single = await Promise.all(PROMPTS.map(async (ids) => (await engine.embed(ids)).vectors[0]));
    const [beside, { vectors }, other] = await Promise.all([
      engine.generate(PROMPTS[1], options).result,
      engine.embed(PROMPTS),
      engine.embed(PROMPTS[6], { pooling: 'last' }),
    ]);
    expect(beside.ids).toEqual(alone.ids);
    expect(vectors).toEqual(single);
    expect(other.vectors).toEqual((await engine.embed(PROMPTS[6], { pooling: 'last' })).vectors);
  });
});

describe('embeddings', () => {
  let engine: CoreEngine;
  beforeAll(async () => {
    engine = await startEngine({ adapter, model: folder, contextLength: 64, prefillChunk: CHUNK }, nodeHost);
  });
  afterAll(() => engine.dispose());
  const pooling = 'last';

  it('have the first numbers only, at length 1 again, where fewer are wanted', async () => {
    const [whole] = (await engine.embed(PROMPTS[2], { pooling })).vectors;
    const [cut] = (await engine.embed(PROMPTS[2], { pooling, dimensions: 5 })).vectors;
    expect(cut).toHaveLength(5);
    expect(maxAbsError(cut, unit([...whole.subarray(0, 5)]))).toBeLessThan(1e-6);
    for (const dimensions of [0, HIDDEN + 1, 1.5]) {
      expect(await refusal('usage', () => engine.embed([5], { pooling, dimensions }))).toBe(
        `dimensions must be a whole number from 1 to ${HIDDEN}, found ${dimensions}`,
      );
    }
  });

  it('of a list let a later request in after a step or two, and not after all of it', async () => {
    const many = Array.from({ length: 100 }, (_, at) => prompt(CHUNK, at));
    const begun = engine.stats().steps;
    const listed = engine.embed(many, { pooling }).then(() => engine.stats().steps - begun);
    const later = engine.generate([5, 6], { temperature: 0, maxTokens: 1 });
    expect(await later.result.then(() => engine.stats().steps - begun)).toBeLessThan(12);
    expect(await listed).toBeGreaterThanOrEqual(many.length);
  });

  it('are given up on a signal, and what they held is free again', async () => {
    const stop = new AbortController();
    const many = Array.from({ length: 100 }, (_, at) => prompt(60, at));
    const asked = engine.embed(many, { pooling: 'mean', signal: stop.signal });
    setImmediate(() => stop.abort(new Error('enough')));
    await expect(asked).rejects.toThrow('enough');
    const { waiting, running, kvBlocks, kvBlocksFree } = engine.stats();
    expect([waiting, running, kvBlocksFree]).toEqual([0, 0, kvBlocks]);
    expect((await engine.embed([5, 6, 7], { pooling })).vectors[0]).toHaveLength(HIDDEN);
    await expect(engine.embed([5], { pooling, signal: stop.signal })).rejects.toThrow('enough');
  });

  it('are refused where they cannot be made, naming the input', async () => {
    const cases: [unknown, RegExp][] = [
      [[[5], []], /^input 1 has no tokens/],
      [[], /^there is no input/],
      [[[5], [5, VOCAB]], /^input 1 has token id 61, but ids are 0 to 60/],
      [[[5], prompt(65, 1)], /^input 1 has 65 tokens, but the context is 64; shorten it$/],
      [Array<number[]>(2049).fill([5]), /^there are 2049 inputs, and one call takes up to 2048/],
    ];
    for (const [input, message] of cases) {
      expect(await refusal('prompt', () => engine.embed(input as number[], { pooling }))).toMatch(message);
    }
    expect(await refusal('usage', () => engine.embed(5 as never, { pooling }))).toMatch(/^the input must be text/);
    expect(await refusal('usage', () => engine.embed([[5], {}] as never, { pooling }))).toMatch(/^input 1 must be/);
    expect(await refusal('usage', () => engine.embed([5], { pooling: 'max' as never }))).toMatch(
      /^pooling must be one/,
    );
    expect((await engine.embed(prompt(64, 1), { pooling })).tokens).toEqual([64]);
  });

  it('are refused by a model that is not meant for them', async () => {
    const message = await refusal('usage', () => engine.embed([5]));
    expect(message).toMatch(/writes text and was not trained to embed it; .* load with pooling mean or pooling last/);
  });

  it('fail with the engine', async () => {
    const asked = engine.embed(
      Array.from({ length: 100 }, (_, at) => prompt(60, at)),
      { pooling },
    );
    const told = refusal('usage', () => asked);
    await engine.embed([5], { pooling });
    await engine.dispose();
    expect(await told).toMatch(/disposed/);
    expect(await refusal('usage', () => engine.embed([5], { pooling }))).toMatch(/disposed/);
  });
});

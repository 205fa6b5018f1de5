import { build } from 'esbuild';
import type * as OpenAiModule from 'openai';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Page } from 'playwright-core';
import { FakeHub } from './hub.js';
import { generated, load, need, nodeIds, openBench, PROMPT, type Bench } from './support.js';

const hub = new FakeHub();
let opened: Bench | undefined;
let ids: readonly number[] = [];

beforeAll(async () => {
  opened = await openBench([], hub.answer);
  if (opened !== undefined) ids = await nodeIds();
});
afterAll(() => opened?.close());

const bench = (context: Pick<TestContext, 'skip'>): Bench => need(opened, context);

/** Gives a page the openai package, as `OpenAI`. */
async function addOpenAi(page: Page): Promise<void> {
  const stdin = { contents: "export { default } from 'openai';", resolveDir: import.meta.dirname };
  const options = { bundle: true, format: 'iife', platform: 'browser', globalName: 'openai', write: false } as const;
  const { outputFiles } = await build({ stdin, ...options });
  await page.addScriptTag({ content: `${outputFiles[0].text}; window.OpenAI = openai.default;` });
}

declare global {
  interface Window {
    OpenAI: typeof OpenAiModule.default;
  }
}

describe('an engine in a worker', () => {
  let page: Page;

  it('chooses the tokens that it chooses in Node', async (context) => {
    page = await bench(context).page();
    expect(await load(page, {})).toBe('worker');
    expect((await generated(page)).ids).toEqual(ids);
  });

  it('tells what it is, in words where the browser says nothing', async (context) => {
    bench(context);
    const info = await page.evaluate(() => window.engine.info);
    expect(info.adapter).toMatch(/swiftshader/i);
    expect(info.driver).toMatch(/^Chrom\w+ 147$/);
    expect(info.contextLength).toBeLessThanOrEqual(2048);
  });

  it('is told of before its weights are fetched: what it takes, what would take less, and what does not fit', async (context) => {
    bench(context);
    const told = await page.evaluate(async () => {
      const { Engine, listModels, sizeModel } = window.ridgepoint;
      const options = { model: 'some/model', hubUrl: '/hub/' };
      const size = await sizeModel(options);
      const refused = await Engine.load({ ...options, gpuBytes: 200e6 }).catch((error: Error) => error.message);
      return { size, refused, stored: await listModels(), info: window.engine.info };
    });
    const { size, info } = told;
    expect(size).toMatchObject({ model: 'some/model', dtype: info.dtype, coming: { bytes: hub.size, left: hub.size } });
    expect(size.gpu.weights).toBe(info.weightBytes);
    expect(size.gpu.total).toBe(size.gpu.weights + size.gpu.kvCache + size.gpu.activations);
    expect(size.kvTokens).toBe(info.kvCacheTokens);
    const int4 = size.others.find(({ dtype }) => dtype === 'int4');
    expect(int4?.gpu.weights).toBeLessThan(size.gpu.weights / 2);
    expect(size.diskBytes).toBeGreaterThan(0);
    expect(told.refused).toMatch(
      /^out of GPU memory: some\/model in \w+ needs .* but .*swiftshader has 0\.19 GiB free/,
    );
    expect(told.stored).toMatchObject([{ source: 'some/model', complete: false }]);
    expect(hub.requests.filter((request) => request.includes('.safetensors'))).toEqual([]);
  });

  it('streams chunks whose text is the whole', async (context) => {
    bench(context);
    const { texts, result } = await page.evaluate(async (prompt) => {
      const generation = window.engine.generate(prompt, { temperature: 0, maxTokens: 12, logprobs: 2 });
      const texts: string[] = [];
      for await (const { text, logprobs } of generation) texts.push(`${text}${logprobs?.[0]?.top.length ?? ''}`);
      return { texts, result: await generation.result };
    }, PROMPT);
    expect(texts.map((text) => text.replace(/2$/, '')).join('')).toBe(result.text);
    expect(texts.length).toBeGreaterThanOrEqual(12);
    expect(texts.every((text) => text === '' || text.endsWith('2'))).toBe(true);
  });

  it('ends what is aborted, and what nobody iterates to its end', async (context) => {
    bench(context);
    const ends = await page.evaluate(async (prompt) => {
      const control = new AbortController();
      const options = { temperature: 0, ignoreEos: true };
      const aborted = window.engine.generate(prompt, { ...options, signal: control.signal });
      for await (const { ids } of aborted) if (ids.length > 0) control.abort();
      const left = window.engine.generate(prompt, options);
      for await (const { ids } of left) if (ids.length > 0) break;
      const before = await window.engine.generate(prompt, { signal: AbortSignal.abort() }).result;
      const running = [await aborted.result, await left.result, before];
      return { reasons: running.map(({ finishReason }) => finishReason), stats: await window.engine.stats() };
    }, PROMPT);
    expect(ends.reasons).toEqual(['abort', 'abort', 'abort']);
    expect(ends.stats).toMatchObject({ running: 0, waiting: 0 });
  });

  it('refuses in the words of the library, with code and option', async (context) => {
    bench(context);
    const error = await page.evaluate(async () => {
      const { RidgepointError } = window.ridgepoint;
      try {
        await window.engine.generate('x', { temperature: -1 }).result;
        return undefined;
      } catch (error) {
        if (!(error instanceof RidgepointError)) return undefined;
        const { code, option, message } = error;
        return { code, option, message };
      }
    });
    expect(error).toMatchObject({ code: 'usage', option: 'temperature' });
    expect(error?.message).toMatch(/^temperature must be/);
  });

  it('keeps a text to a JSON schema', async (context) => {
    bench(context);
    const schema = { type: 'array', items: { enum: [1, 2] }, minItems: 2, maxItems: 3 };
    const { text } = await generated(page, { temperature: 0, maxTokens: 40, schema });
    expect(
      [
        [1, 2],
        [1, 1],
        [2, 1],
        [2, 2],
      ]
        .map(String)
        .some((begin) => String(JSON.parse(text)).startsWith(begin)),
    ).toBe(true);
  });

  it('is an API that the openai package takes for a server', async (context) => {
    bench(context);
    await addOpenAi(page);
    const talk = await page.evaluate(async (prompt) => {
      const { OpenAI } = window;
      const openai = new OpenAI({
        baseURL: 'http://localhost/v1',
        ...{ apiKey: 'unused', dangerouslyAllowBrowser: true, maxRetries: 0, fetch: window.engine.fetch },
      });
      const request = { model: 'tiny-tales', prompt, max_tokens: 48, temperature: 0 };
      const whole = await openai.completions.create(request);
      const pieces: string[] = [];
      const stream = await openai.completions.create({ ...request, stream: true });
      for await (const { choices } of stream) pieces.push(choices[0].text);
      const wrong = openai.completions.create({ ...request, model: 'gpt' });
      const refusal = await wrong.catch((error: unknown) => error instanceof OpenAI.NotFoundError);
      const hot = openai.completions.create({ ...request, temperature: -1 });
      const param = await hot.catch((error: { param: string }) => error.param);
      // What the engine throws is known to code that was loaded apart from it.
      const wizard = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'wizard' } } };
      const formed = openai.completions.create({ ...request, ...{ response_format: wizard } });
      const code = await formed.catch((error: { code: string }) => error.code);
      const left = await openai.completions.create({ ...request, max_tokens: 400, stream: true });
      for await (const { choices } of left) if (choices.length > 0) break;
      const control = new AbortController();
      const endless = { ...request, max_tokens: 400 };
      const aborted = openai.completions.create(endless, { signal: control.signal });
      setTimeout(() => control.abort(), 50);
      const name = await aborted.catch((error: Error) => error.constructor.name);
      while ((await window.engine.stats()).running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return { text: whole.choices[0].text, id: whole._request_id, pieces, refusal, param, code, name };
    }, PROMPT);
    expect(talk.text).toBe(await page.evaluate((ids) => window.engine.detokenize(ids), [...ids]));
    expect(talk.pieces.length).toBeGreaterThan(12);
    expect(talk.pieces.join('')).toBe(talk.text);
    expect(talk).toMatchObject({ refusal: true, param: 'temperature', code: 'invalid_schema' });
    expect(talk.name).toBe('APIUserAbortError');
    expect(talk.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('does a tokenizer’s work by promises', async (context) => {
    bench(context);
    const round = await page.evaluate(async () => {
      const ids = await window.engine.tokenize('Tom and Lily');
      return { text: await window.engine.detokenize(ids), bytes: [...(await window.engine.tokenBytes(ids[1]))] };
    });
    expect(round.text).toContain('Tom and Lily');
    expect(round.bytes.length).toBeGreaterThan(0);
  });
});

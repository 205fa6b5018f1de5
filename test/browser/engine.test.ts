import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Page } from 'playwright-core';
import { generated, load, need, nodeIds, openBench, PROMPT, type Bench } from './support.js';

let opened: Bench | undefined;
let ids: readonly number[] = [];

beforeAll(async () => {
  opened = await openBench();
  if (opened !== undefined) ids = await nodeIds();
});
afterAll(() => opened?.close());

const bench = (context: Pick<TestContext, 'skip'>): Bench => need(opened, context);

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

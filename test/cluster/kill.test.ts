import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions, GenerationResult } from '../../src/engine/api.js';
import { openTextModel, type TextModel } from '../../src/engine/text-model.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { openRouter } from '../../src/platform/node/wire/open-router.js';
import { build } from '../cli/support.js';
import { adapter } from '../engine/support.js';
import { isFull } from '../support/scale.js';
import { killAll, launchWorker, type Running } from './processes.js';

const host = '127.0.0.1';
const PROMPTS = [
  ...['Once upon a time', 'Lily and Tom went', 'The dog said', 'One day a bird', 'Anna had a red'],
  ...['A big bear', 'Mum gave Ben'],
];
const options = (at: number): GenerateOptions =>
  at % 2 === 0
    ? { temperature: 0, maxTokens: 48, ignoreEos: true }
    : { temperature: 1, seed: at, maxTokens: 48, ignoreEos: true };

describe.runIf(isFull)('workers that are killed', () => {
  let model: TextModel;
  let [first, second]: Running[] = [];
  beforeAll(async () => {
    await build();
    model = await openTextModel({}, nodeHost);
    [first, second] = await Promise.all([launchWorker(adapter), launchWorker(adapter)]);
  });
  afterAll(killAll);

  it('lose no request: all go on elsewhere with the ids of one engine, one kept to a form among them', async () => {
    const asked = [
      ...PROMPTS.map((prompt, at) => ({ prompt, ...options(at) })),
      { prompt: 'Count:', maxTokens: 40, seed: 1, temperature: 1 },
    ];
    const one = await openRouter({ model, workers: [{ host, port: second.port }] });
    const digits = compileGrammar({ kind: 'pattern', source: '[0-9]{3}( [a-z]+){40}' }, one.vocabulary!);
    const constrained = (at: number): GenerateOptions => (at === PROMPTS.length ? { constraint: digits.create() } : {});
    const expected: GenerationResult[] = [];
    for (const [at, { prompt, ...how }] of asked.entries()) {
      expected.push(await one.generate(prompt, { ...how, ...constrained(at) }).result);
    }
    await one.dispose();
    const workers = [first, second].map(({ port }) => ({ host, port }));
    const router = await openRouter({ model, workers, placement: 'round-robin' });
    let seen = 0;
    const answers = asked.map(async ({ prompt, ...how }, at) => {
      const generation = router.generate(prompt, { ...how, ...constrained(at) });
      let text = '';
      for await (const chunk of generation) {
        text += chunk.text;
        if (++seen === 30) await first.kill();
      }
      const result = await generation.result;
      expect(text).toBe(result.text);
      return result;
    });
    const results = await Promise.all(answers);
    for (const [at, { ids, text }] of results.entries()) {
      expect(ids).toEqual(expected[at].ids);
      expect(text).toBe(expected[at].text);
    }
    expect(expected[PROMPTS.length].text).toMatch(/^[0-9]{3}/);
    expect(Math.max(...results.map(({ route }) => route!.attempts))).toBe(2);
    expect(router.counts.recoveries).toBe(router.counts.lost.get('gone'));
    await expect.poll(() => router.stats().running, { timeout: 600_000 }).toBe(0);
    expect(router.stats().kvBlocksFree).toBe(router.stats().kvBlocks);
    await router.dispose();
  });
});

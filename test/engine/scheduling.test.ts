import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { loadReal } from '../serving/real.js';

describe('what an engine tells of its scheduling', () => {
  let engine: CoreEngine;
  beforeAll(async () => {
    engine = await loadReal();
  });
  afterAll(() => engine.dispose());

  it('has every sequence come and go, and its tokens in steps that follow each other', async () => {
    const told: string[] = [];
    let [last, draws] = [0, 0];
    const end = engine.scheduling.watch({
      added: ({ id }) => told.push(`added ${id}`),
      ended: ({ id }) => told.push(`ended ${id}`),
      step: ({ decode, prefill }, began, ended) => {
        expect(began).toBeGreaterThanOrEqual(last);
        expect(ended).toBeGreaterThan(began);
        last = ended;
        draws += decode.filter(({ samples }) => samples > 0).length + prefill.filter(({ samples }) => samples).length;
      },
    });
    const generation = engine.generate('Once upon a time', { maxTokens: 6, ignoreEos: true });
    const { id } = generation.sequence!;
    await generation.result;
    end();
    await engine.generate('x', { maxTokens: 1 }).result;
    expect(told).toEqual([`added ${id}`, `ended ${id}`]);
    // One step more may be under way when the last token is known.
    expect(draws).toBeGreaterThanOrEqual(6);
  });

  it('says where the scheduler stands, and what a generation would be', async () => {
    const generation = engine.generate('Once upon a time', { maxTokens: 40, ignoreEos: true });
    const iterator = generation[Symbol.asyncIterator]();
    await iterator.next();
    const { scheduler, underWay, depth, elapsedMs } = engine.scheduling.moment();
    expect(scheduler.running).toBe(1);
    expect(underWay.length).toBeGreaterThan(0);
    expect(underWay.length).toBeLessThanOrEqual(depth);
    expect(underWay[0].sampled).toEqual([generation.sequence]);
    expect(underWay[0].load).toMatchObject({ decodeRows: 1, logitRows: 1, prompts: [] });
    expect(elapsedMs).toBeGreaterThanOrEqual(0);
    const ids = engine.tokenize('Once upon a time');
    const outline = engine.scheduling.outline(ids, { maxTokens: 7, priority: 2 });
    expect(outline).toMatchObject({ promptLength: ids.length, maxTokens: 7, priority: 2, delivered: 0 });
    expect(engine.stats().waiting).toBe(0);
    await generation.result;
  });
});

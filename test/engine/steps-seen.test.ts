import { expect, it } from 'vitest';
import type { BatchShape } from '../../src/model/operations.js';
import { Engine } from '../../src/index.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';

it.runIf(isFull)('an engine tells of every step, what it held and how long it took', async () => {
  const steps: { batch: BatchShape; ms: number }[] = [];
  const onStep = (batch: BatchShape, ms: number): void => void steps.push({ batch, ms });
  await using engine = await Engine.load({ adapter: adapters[0], onStep });
  const { ids } = await engine.generate('Once upon a time', { maxTokens: 5, temperature: 0 }).result;
  expect(ids).toHaveLength(5);
  // The prompt's, and one for each token after the first; one more may be under way when the last arrives.
  expect(steps.length).toBeGreaterThanOrEqual(5);
  expect(steps[0].batch.sequences[0].newTokens).toBeGreaterThan(1);
  expect(steps[1].batch.sequences).toMatchObject([{ newTokens: 1 }]);
  expect(steps.filter(({ ms }) => !(ms > 0))).toEqual([]);
});

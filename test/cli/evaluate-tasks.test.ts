import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoresOf, tasksOf } from '../../src/cli/commands/evaluate/run-tasks.js';
import { TASKS } from '../../src/cli/commands/evaluate/tasks/index.js';
import { resultOf } from '../../src/cli/commands/evaluate/tasks/task.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { loadReal } from '../serving/real.js';
import { isFull } from '../support/scale.js';

describe('sets of questions', () => {
  it('have several answers each, all different, and begin with the text', () => {
    expect(TASKS.map(({ name }) => name)).toEqual(['forms', 'stories', 'facts']);
    for (const { questions } of TASKS) {
      expect(questions.length).toBeGreaterThanOrEqual(16);
      for (const { begin, ends } of questions) {
        expect(begin).toMatch(/\S$/);
        expect(new Set(ends).size, begin).toBe(ends.length);
        for (const end of ends) expect(end).toMatch(/^ \S/);
      }
    }
  });

  it('are chosen by name', () => {
    expect(tasksOf('all')).toEqual(TASKS);
    expect(tasksOf('facts, forms').map(({ name }) => name)).toEqual(['facts', 'forms']);
    expect(() => tasksOf('fact')).toThrow(/--tasks must be all or some of forms, stories, facts, found "fact"/);
  });

  it('count the right answers, by sum and by byte', () => {
    const task = {
      name: 'x',
      about: 'y',
      questions: [
        { begin: 'a', ends: [' bbbb', ' c'] },
        { begin: 'a', ends: [' b', ' c', ' d', ' e'] },
        { begin: 'a', ends: [' b', ' c'] },
        { begin: 'a', ends: [' b', ' c'] },
      ],
    } as const;
    const scores = [
      [-5, -4],
      [-1, -2, -3, -4],
      [-2, -2],
      [-1, -3],
    ];
    const { accuracy, accuracyByByte, error, chance } = resultOf(task, scores);
    expect([accuracy, accuracyByByte, chance]).toEqual([0.5, 0.75, 0.4375]);
    expect(error).toBeCloseTo(Math.sqrt(0.25 / 3), 12);
  });
});

describe('the embedded model', () => {
  let engine: CoreEngine;
  beforeAll(async () => void (engine = await loadReal()));
  afterAll(() => engine.dispose());

  it('scores answers as it would write them', async () => {
    const [scores] = await Promise.all([scoresOf(engine, { begin: 'Once upon', ends: [' a time', ' time a'] })]);
    const { logprobs } = (await first(engine, 'Once upon', 2))!;
    expect(scores[0]).toBeCloseTo(logprobs, 2);
    expect(scores[0]).toBeGreaterThan(scores[1]);
  });

  it.runIf(isFull)('knows what a story of its kind goes on with, more often than chance', async () => {
    const [, stories] = TASKS;
    const scores = [];
    for (const question of stories.questions) scores.push(await scoresOf(engine, question));
    const { accuracy, chance } = resultOf(stories, scores);
    expect(accuracy).toBeGreaterThan(chance);
  });
});

/** Log-probability of the tokens that come first. */
async function first(engine: CoreEngine, prompt: string, count: number): Promise<{ logprobs: number } | undefined> {
  let logprobs = 0;
  for await (const chunk of engine.generate(prompt, { maxTokens: count, temperature: 0, logprobs: 0 })) {
    for (const { token } of chunk.logprobs ?? []) logprobs += token.logprob;
  }
  return { logprobs };
}

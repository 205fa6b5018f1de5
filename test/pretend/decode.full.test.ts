import { beforeAll, expect, it } from 'vitest';
import { operationShapes } from '../../src/model/operations.js';
import { LLAMA_2_7B } from '../support/model.js';
import { describePretend, runPretended } from '../support/pretend-gpu/run.js';
import type { Submission } from '../support/pretend-gpu/trace.js';

describePretend('a decode step of Llama-2-7B', () => {
  /** After so many tokens, by the length of the prompt. */
  const steps = new Map<number, readonly Submission[]>();
  beforeAll(async () => {
    for (const length of [3, 200]) {
      const ids = Array.from({ length }, (_, i) => i + 1).join(',');
      const { code, stderr, submissions } = await runPretended(
        [
          ...['scripts/ridgepoint.mjs', 'generate', '--model', 'llama-2-7b', '--weights', 'synthetic'],
          ...['--prompt-ids', ids, '--max-tokens', '6', '--no-autotune'],
        ],
        { trace: true },
      );
      expect(code, stderr).toBe(0);
      steps.set(length, submissions.slice(-3));
    }
  });

  it.each([3, 200])('is a launch for each operation of the list, after %i tokens too', (length) => {
    const listed = operationShapes(LLAMA_2_7B).filter(({ rows }) => rows !== 'prompts');
    expect(listed.length).toBe(163);
    for (const { dispatches } of steps.get(length)!) expect(dispatches.length).toBe(listed.length);
  });

  it.each([3, 200])('has no more barriers than launches, after %i tokens too', (length) => {
    for (const { dispatches, barriers } of steps.get(length)!) expect(barriers).toBeLessThan(dispatches.length);
  });
});

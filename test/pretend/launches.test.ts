import { expect, it } from 'vitest';
import { describePretend, runPretended } from '../support/pretend-gpu/run.js';
import type { Submission } from '../support/pretend-gpu/trace.js';

/** Launches of a decode step: of each layer, and of the step besides. To be lowered when launches are fused. */
const LAUNCHES = { layer: 5, step: 3 };
/** Layers of the model the tests load. */
const LAYERS = 4;

/** What most submissions with as many launches as a decode step have look like. */
function decodeSteps(submissions: readonly Submission[]): Submission[] {
  const launches = submissions.map(({ dispatches }) => dispatches.length).filter((count) => count > LAYERS);
  const counts = new Map<number, number>();
  for (const each of launches) counts.set(each, (counts.get(each) ?? 0) + 1);
  const [usual] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return submissions.filter(({ dispatches }) => dispatches.length === usual);
}

describePretend('a decode step on a GPU', () => {
  it('is so many launches, a barrier between each two, and sets a pipeline only where it changes', async () => {
    const args = ['scripts/ridgepoint.mjs', 'generate', '--weights', 'synthetic', '--kv-dtype', 'f16', '--no-autotune'];
    const run = await runPretended([...args, '--prompt-ids', '1,2,3', '--max-tokens', '24', '--ignore-eos'], {
      trace: true,
    });
    expect(run).toMatchObject({ code: 0 });
    const steps = decodeSteps(run.submissions);
    expect(steps.length).toBeGreaterThan(15);
    for (const step of steps) {
      expect(step.dispatches).toHaveLength(LAYERS * LAUNCHES.layer + LAUNCHES.step);
      expect(step.barriers).toBeLessThanOrEqual(step.dispatches.length);
      const changes = step.dispatches.filter(({ module }, i) => module !== step.dispatches[i - 1]?.module).length;
      expect(step.pipelines).toBe(changes);
    }
  });
});

import { expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { Journal, loadOfParts } from '../../src/outlook/journal.js';
import { company, replay } from '../../src/outlook/replay.js';
import type { StepLoad } from '../../src/scheduler/step-load.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { random } from '../reference/compare.js';
import { isFull } from '../support/scale.js';

const numbers = random(3);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const OPTIONS = { temperature: 0, ignoreEos: true } as const;
const SHORT = { prompt: ids(50), maxTokens: 30 };
const LONG = { prompt: ids(90), maxTokens: 20 };

type Asked = typeof SHORT;

/** Generations that come together, the first first, and what a journal says of their steps. */
async function run(engine: CoreEngine, asked: readonly Asked[]) {
  const journal = new Journal();
  const stop = engine.scheduling.watch(journal);
  const results = asked.map(({ prompt, maxTokens }) => engine.generate(prompt, { ...OPTIONS, maxTokens }).result);
  const generated = (await Promise.all(results)).map((result) => [...result.ids]);
  stop();
  return { generated, journal, records: [...journal.requests] };
}

/** What a step holds, whoever's it is. */
const shapeOf = ({ decodeRows, decodeKeys, logitRows, prompts }: StepLoad) => ({
  ...{ decodeRows, decodeKeys, logitRows },
  prompts: prompts.map(({ begin, end }) => [begin, end]),
});

it.runIf(isFull)('a neighbour that is taken out of a real run leaves the steps of a real run without it', async () => {
  const load = (): Promise<CoreEngine> =>
    startEngine({ adapter, model: tinyFolder(), prefillChunk: 16, maxSequences: 4 }, nodeHost);
  const [crowded, lonely] = [await load(), await load()];
  try {
    const together = await run(crowded, [SHORT, LONG]);
    const alone = await run(lonely, [SHORT]);
    expect(together.generated[0]).toEqual(alone.generated[0]);
    const [victim, neighbour] = together.records;
    expect(victim.sequence.promptLength).toBe(SHORT.prompt.length);

    const { scheduler, depth } = crowded.scheduling.moment();
    const setting = { limits: scheduler.limits, options: scheduler.options, depth };
    const price = ({ decodeRows, prompts }: StepLoad): number => 1 + decodeRows + prompts.length;
    const without = replay(company(victim, together.records), setting, price, new Set([neighbour.sequence.id]));
    const real = alone.journal.steps.map(({ parts }) => shapeOf(loadOfParts(parts)));
    expect(real.length).toBeGreaterThan(SHORT.maxTokens);
    expect(without.steps.map(shapeOf)).toEqual(real);
    expect(without.requests.get(victim.sequence.id)?.tokens).toBe(SHORT.maxTokens);

    // The neighbour was in its steps: with it they are others.
    const shared = together.journal.steps.filter(({ parts }) => parts.some(({ id }) => id === victim.sequence.id));
    expect(shared.some(({ parts }) => parts.length > 1)).toBe(true);
  } finally {
    await crowded.dispose();
    await lonely.dispose();
  }
});

import { median } from '../../../src/statistics.js';
import type { Built, ChromiumTab } from './tab.js';

const ROUNDS = 7;
const TOKENS = 128;

const load = (tab: ChromiumTab): Promise<string> =>
  tab.evaluate(async () => {
    window.engine = await window.ridgepoint.Engine.load({ worker: 'shared' });
    await window.engine.ready;
    return window.engine.place;
  });

/** Has tabs generate at the same time. @returns milliseconds until the last of them is done */
async function together(tabs: readonly ChromiumTab[]): Promise<number> {
  const began = performance.now();
  await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(async (maxTokens) => {
        const options = { temperature: 0, maxTokens, ignoreEos: true };
        for await (const chunk of window.engine.generate('Once upon a time', options)) void chunk;
      }, TOKENS),
    ),
  );
  return performance.now() - began;
}

/** Tokens a second of two tabs that share an engine, beside those of one of them alone, in turn. */
export async function tabs(built: Built): Promise<string[]> {
  const one = await built.chromium();
  const two = await one.another();
  const places = [await load(one), await load(two)];
  if (places.some((place) => place !== 'shared worker')) throw new Error(`the engines are in: ${places.join(', ')}`);
  const rounds: { alone: number; both: number }[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const times = { alone: await together([one]), both: await together([one, two]) };
    if (round >= 0) rounds.push(times);
  }
  const rate = (ms: number, count: number): string => `${((1000 * count * TOKENS) / ms).toFixed(0)} tokens/s`;
  const [alone, both] = [median(rounds.map((each) => each.alone)), median(rounds.map((each) => each.both))];
  const times = median(rounds.map((each) => (2 * each.alone) / each.both)).toFixed(2);
  return [`one of two tabs ${rate(alone, 1)}, both together ${rate(both, 2)}; by round ${times} times`];
}

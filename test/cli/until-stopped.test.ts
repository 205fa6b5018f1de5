import { expect, it, vi } from 'vitest';

const stop = new AbortController();
vi.mock(import('../../src/cli/run.js'), async (original) => ({ ...(await original()), stopSignal: stop.signal }));
const { foundUntilStopped } = await import('../../src/cli/commands/simulate/question.js');
const { highestGood } = await import('../../src/simulator/search.js');

it('keeps what a search has found when somebody asks to stop, and is no answer to anything else', async () => {
  let best: number | undefined;
  const search = (stopAt: number) =>
    foundUntilStopped(
      () =>
        highestGood(1, 0.01, (rate) => {
          if (rate === stopAt) stop.abort();
          stop.signal.throwIfAborted();
          best = rate;
          return Promise.resolve(true);
        }),
      () => best,
    );
  const broken = new Error('broken');
  const breaks = () =>
    foundUntilStopped(
      () => Promise.reject(broken),
      () => 4,
    );
  await expect(breaks()).rejects.toBe(broken);
  expect(await search(16)).toBe(8);
  best = undefined;
  await expect(search(1)).rejects.toThrow();
});

import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { paceDawn } from '../../src/platform/node/pace.js';

const native = (run: () => void): (() => void) => run.bind(undefined);

/** Starts a chain of immediates, each turn asking for the next, that counts its turns until it is stopped. */
function chain(wrap: (run: () => void) => () => void): { turns: number; stop: () => void } {
  const state = { turns: 0, stop: () => void (stopped = true) };
  let stopped = false;
  const turn = (): void => {
    state.turns++;
    if (!stopped) setImmediate(wrap(turn));
  };
  turn();
  return state;
}

/** Runs two chains beside each other until the first has made so many turns; the turns of both. */
async function race(a: (run: () => void) => () => void, b: (run: () => void) => () => void, turns: number) {
  const chains = [chain(a), chain(b)];
  while (chains[0].turns < turns) await new Promise((resolve) => setTimeout(resolve, 1));
  chains.forEach(({ stop }) => stop());
  return chains.map((each) => each.turns);
}

/** What a native addon makes: a function without a name whose text is hidden. */
const anonymous = (run: () => void): (() => void) =>
  Object.defineProperty<() => void>(native(run), 'name', { value: '' });

const plain = (run: () => void) => () => run();

test('a native chain of immediates is slowed down, others are not, and twice is as once', async () => {
  const [before, beside] = await race(anonymous, plain, 500);
  expect(beside / before).toBeGreaterThan(0.5);
  expect(beside / before).toBeLessThan(2);
  paceDawn();
  paceDawn();
  const [native, others] = await race(anonymous, plain, 20);
  expect(others / native).toBeGreaterThan(3);
});

test('arguments, handles and promises are as ever', async () => {
  paceDawn();
  expect(await new Promise((resolve) => setImmediate((a: number, b: number) => resolve(a + b), 1, 2))).toBe(3);
  let ran = false;
  const handle = setImmediate(() => {
    ran = true;
  });
  clearImmediate(handle);
  expect(await promisify(setImmediate)('value')).toBe('value');
  expect(ran).toBe(false);
});

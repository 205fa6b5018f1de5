import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { paceDawn } from '../../src/platform/node/pace.js';

const native = (run: () => void): (() => void) => run.bind(undefined);

/** Turns of a chain in so many milliseconds, each turn asking for the next. */
async function turns(wrap: (run: () => void) => () => void, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let count = 0;
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      count++;
      if (performance.now() >= end) resolve();
      else setImmediate(wrap(turn));
    };
    turn();
  });
  return count;
}

/** What a native addon makes: a function without a name whose text is hidden. */
const anonymous = (run: () => void): (() => void) =>
  Object.defineProperty<() => void>(native(run), 'name', { value: '' });

test('a native chain of immediates is slowed down, others are not, and twice is as once', async () => {
  const before = await turns(anonymous, 50);
  expect(before).toBeGreaterThan(100);
  paceDawn();
  paceDawn();
  expect(await turns(anonymous, 50)).toBeLessThanOrEqual(51);
  expect(await turns((run) => () => run(), 50)).toBeGreaterThan(100);
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

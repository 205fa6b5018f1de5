import { afterAll } from 'vitest';

/**
 * Keeps the largest error by name. With `RIDGEPOINT_TEST_ERRORS=1` a test file prints them when it is done, which is
 * how the figures beside the tolerances were read off.
 */
export function worstErrors(): (name: string, error: number) => void {
  const worst = new Map<string, number>();
  afterAll(() => {
    if (process.env.RIDGEPOINT_TEST_ERRORS === undefined) return;
    for (const [name, error] of worst) console.log(`worst error ${name}: ${error.toExponential(2)}`);
  });
  return (name, error) => void worst.set(name, Math.max(error, worst.get(name) ?? 0));
}

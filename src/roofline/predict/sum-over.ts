/** Sums of no more terms than this are added up term by term. */
const EXACT = 12;
/** Intervals of Simpson's rule; even. */
const INTERVALS = 8;

/**
 * f(0) + f(1) + ... + f(n - 1) of a smooth function: the integral from -1/2 to n - 1/2, by Simpson's rule, when there
 * are many terms.
 */
export function sumOver(n: number, f: (at: number) => number): number {
  let sum = 0;
  if (n <= EXACT) {
    for (let at = 0; at < n; at++) sum += f(at);
    return sum;
  }
  const width = n / INTERVALS;
  for (let i = 0; i <= INTERVALS; i++) {
    const weight = i === 0 || i === INTERVALS ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * f(i * width - 0.5);
  }
  return (sum * width) / 3;
}

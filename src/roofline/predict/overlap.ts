/**
 * Time of work that computes for `a` and moves bytes for `b` seconds while the two overlap: (a^p + b^p)^(1/p).
 * p = 1 is no overlap at all, p = Infinity a perfect one, the plain maximum of the classical roofline.
 */
export function softMaximum(a: number, b: number, p: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (low === 0 || p === Infinity) return high;
  return high * (1 + (low / high) ** p) ** (1 / p);
}

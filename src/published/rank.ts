/**
 * Kendall's tau-b of two lists: 1 where they order alike, -1 where one is the other turned around; pairs that are equal
 * in one of the two count in its place (Kendall, Biometrika 33, 1945). NaN where one has no order at all.
 */
export function kendallTau(a: readonly number[], b: readonly number[]): number {
  let [score, inA, inB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = i + 1; j < a.length; j++) {
      const [x, y] = [Math.sign(a[i] - a[j]), Math.sign(b[i] - b[j])];
      score += x * y;
      inA += Math.abs(x);
      inB += Math.abs(y);
    }
  }
  return score / Math.sqrt(inA * inB);
}

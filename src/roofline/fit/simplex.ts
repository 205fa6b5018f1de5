interface Vertex {
  readonly at: readonly number[];
  readonly value: number;
}

/**
 * Finds a minimum of a function of few variables without derivatives: Nelder and Mead's simplex (1965) with the usual
 * coefficients, restarted once from where it ended.
 */
export function minimise(
  f: (at: readonly number[]) => number,
  start: readonly number[],
  { size = 0.5, steps = 600, tolerance = 1e-10 } = {},
): Vertex {
  const first = descend(f, start, size, steps, tolerance);
  return descend(f, first.at, size / 4, steps, tolerance);
}

function descend(
  f: (at: readonly number[]) => number,
  start: readonly number[],
  size: number,
  steps: number,
  tolerance: number,
): Vertex {
  const vertex = (at: readonly number[]): Vertex => ({ at, value: f(at) });
  const simplex = [vertex(start), ...start.map((_, i) => vertex(start.map((x, j) => (i === j ? x + size : x))))];
  const order = () => simplex.sort((a, b) => a.value - b.value);
  for (let step = 0; step < steps; step++) {
    order();
    const worst = simplex[simplex.length - 1];
    const best = simplex[0];
    if (worst.value - best.value < tolerance && step > start.length) break;
    const others = simplex.slice(0, -1);
    const centre = start.map((_, i) => others.reduce((sum, { at }) => sum + at[i], 0) / others.length);
    const along = (factor: number): Vertex => vertex(centre.map((c, i) => c + factor * (worst.at[i] - c)));
    const reflected = along(-1);
    let better: Vertex | undefined = reflected;
    if (reflected.value < best.value) {
      const expanded = along(-2);
      if (expanded.value < reflected.value) better = expanded;
    } else if (reflected.value >= others[others.length - 1].value) {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      better = contracted.value < Math.min(worst.value, reflected.value) ? contracted : undefined;
    }
    if (better !== undefined) simplex[simplex.length - 1] = better;
    else
      simplex.splice(1, Infinity, ...simplex.slice(1).map(({ at }) => vertex(at.map((x, i) => (x + best.at[i]) / 2))));
  }
  order();
  return simplex[0];
}

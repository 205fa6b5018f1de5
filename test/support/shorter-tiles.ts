import type { MatmulVariant } from '../../src/kernels/matmul/kernel.js';

/**
 * A product on matrices that stages fewer columns at a time, so that it fits an adapter with less workgroup memory; all
 * other places are those of the variant. Tiles with edges, and gated ones, leave through strips that may not fit: they
 * are not for these.
 */
export function withColumns(variant: MatmulVariant, columns: number): MatmulVariant {
  const { m, n, stages, threads } = variant.tile!;
  const units = columns / 8;
  return {
    ...variant,
    name: `${variant.name} at ${columns} columns`,
    defines: {
      ...variant.defines,
      long: columns > 32,
      TILE_K8: units,
      X_SLOTS: (m * units) / threads,
      W_SLOTS: (n * units) / threads,
      STAGED: stages * (m + n) * (units + 1),
    },
  };
}

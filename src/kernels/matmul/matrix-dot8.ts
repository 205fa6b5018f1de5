import type { Capabilities, SubgroupMatrixConfig } from '../../gpu/capabilities.js';
import type { MatmulVariant } from './kernel.js';
import { byteConfigs, hasShortRows, matrixLanes, matrixWorkgroupFits, type MatrixLanes } from '../subgroup-matrix.js';
import { partsOf, tileDefines, tileName, type SharedTile } from './matrix-tile.js';
import { TOLERANCE, variantOf } from '../variant.js';
import { COLUMN_PADDING, type WeightLayout } from '../weights.js';

/** Tiles worth trying, best guess first; smaller ones leave no part of a large GPU idle when the prompt is short. */
const TILES: readonly SharedTile[] = [
  { m: 128, n: 128, alongM: 2, alongN: 4 },
  { m: 64, n: 128, alongM: 1, alongN: 4 },
  { m: 64, n: 128, alongM: 2, alongN: 4 },
  { m: 64, n: 64, alongM: 2, alongN: 2 },
  { m: 32, n: 64, alongM: 1, alongN: 2 },
  // For subgroups of 8 lanes, which hold few sums.
  { m: 32, n: 64, alongM: 2, alongN: 2 },
];

/** Sums that a lane may hold in i32, beside as many in f32: half of the 256 registers of a GPU's thread together. */
const MOST_SUMS = 64;

/** Columns that are staged at once. */
const TILE_K = COLUMN_PADDING;

function variant(
  tile: SharedTile,
  layout: WeightLayout,
  config: SubgroupMatrixConfig,
  subgroup: MatrixLanes,
  capabilities: Capabilities,
): MatmulVariant | undefined {
  const { M, N, K } = config;
  const { m, n } = tile;
  const { lanes } = subgroup;
  const { subgroups, threads, subM, subN } = partsOf(tile, lanes);
  // Both operands come in 16 bytes a thread, sums of a strip one matrix high in four at a time.
  const slots = { x: (m * TILE_K) / 16 / threads, w: (n * TILE_K) / 16 / threads, strip: (M * subN) / 4 / lanes };
  const whole = [subM / M, subN / N, TILE_K / K, slots.x, slots.w, slots.strip];
  if (!whole.every(Number.isInteger) || (subM * subN) / lanes > MOST_SUMS) return undefined;
  const halves = hasShortRows(config) ? 2 : 1;
  const pitch = 3 * halves;
  const strip = M * (subN / 4 + 1) * halves;
  const elements = Math.max((m + n) * pitch, subgroups * strip);
  const bytes = (elements * 16) / halves + n * 8 + m * 4;
  return variantOf({
    units: 'matrix8',
    sums: 'i32',
    tolerance: TOLERANCE.wholeSums,
    compiles: 'minutes',
    name: `matrix${M}x${N}x${K}-i8-${tileName(tile)}`,
    shader: 'matmul/matmul_matrix_dot8.wgsl',
    bindings: 'uurrw',
    defines: {
      ...tileDefines(tile, config, subgroup, layout, capabilities),
      // x comes in 8 bits.
      half_rows: false,
      // Elements of 16 bytes in workgroup memory.
      STAGED: elements,
      // Elements of x that a thread has on their way. This and what follows repeats the shader's text.
      X_SLOTS: slots.x,
      // Elements of weights.
      W_SLOTS: slots.w,
      // Fours of a strip of sums that a lane writes.
      STRIP_SLOTS: slots.strip,
    },
    phase: 'prefill',
    rowsPerGroup: m,
    needs: ['subgroup-matrix'],
    fits: (adapter) => matrixWorkgroupFits(adapter, threads, bytes),
    groups: (outputs) => Math.ceil(outputs / n),
  });
}

/** Products of rows and weights in 8 bits on subgroup matrices of i8 that add up in i32. */
export function dot8MatrixVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  if (lanes === undefined) return [];
  return byteConfigs(capabilities).flatMap((config) =>
    TILES.flatMap((tile) => variant(tile, layout, config, lanes, capabilities) ?? []).filter((made) =>
      made.runs(capabilities),
    ),
  );
}

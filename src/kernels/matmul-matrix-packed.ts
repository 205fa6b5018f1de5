import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';
import { UNFUSED } from './fusion.js';
import type { MatmulVariant } from './matmul.js';
import {
  byteConfigs,
  hasShortRows,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupRuns,
  MOST_TURNS,
  type MatrixLanes,
} from './subgroup-matrix.js';
import { COLUMN_PADDING, weightDefines, type WeightLayout } from './weights.js';

/** How a workgroup's tile of the output is shared by its subgroups. */
interface Tile {
  /** Rows of x and outputs. */
  readonly m: number;
  readonly n: number;
  /** Subgroups along each. */
  readonly alongM: number;
  readonly alongN: number;
}

/** Tiles worth trying, best guess first; smaller ones leave no part of a large GPU idle when the prompt is short. */
const TILES: readonly Tile[] = [
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
  { m, n, alongM, alongN }: Tile,
  layout: WeightLayout,
  config: SubgroupMatrixConfig,
  { lanes, pinned }: MatrixLanes,
  capabilities: Capabilities,
): MatmulVariant | undefined {
  const { M, N, K } = config;
  const subgroups = alongM * alongN;
  const threads = subgroups * lanes;
  const [subM, subN] = [m / alongM, n / alongN];
  // Both operands come in 16 bytes a thread, sums of a strip one matrix high in four at a time.
  const slots = { x: (m * TILE_K) / 16 / threads, w: (n * TILE_K) / 16 / threads, strip: (M * subN) / 4 / lanes };
  const whole = [subM / M, subN / N, TILE_K / K, slots.x, slots.w, slots.strip];
  if (!whole.every(Number.isInteger) || (subM * subN) / lanes > MOST_SUMS) return undefined;
  const halves = hasShortRows(config) ? 2 : 1;
  const pitch = 3 * halves;
  const strip = M * (subN / 4 + 1) * halves;
  const elements = Math.max((m + n) * pitch, subgroups * strip);
  const bytes = (elements * 16) / halves + n * 8 + m * 4;
  return {
    name: `matrix${M}x${N}x${K}-i8-${m}x${n}${subgroups === 4 ? '' : `-${subgroups}`}`,
    shader: 'matmul_matrix_packed.wgsl',
    bindings: 'uurrw',
    defines: {
      ...matrixDefines(config),
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: true,
      half_rows: false,
      subgroup_id: capabilities.subgroupId,
      pinned,
      LANES: lanes,
      TILE_M: m,
      TILE_N: n,
      SUB_M: subM,
      SUB_N: subN,
      THREADS: threads,
      STAGED: elements,
      MOST_TURNS,
      // Repeats of the shader's text.
      ROWS: subM / M,
      COLS: subN / N,
      X_SLOTS: slots.x,
      W_SLOTS: slots.w,
      STRIP_SLOTS: slots.strip,
    },
    phase: 'prefill',
    rowsPerGroup: m,
    runs: (adapter) => matrixWorkgroupRuns(adapter, threads, bytes),
    groups: (outputs) => Math.ceil(outputs / n),
  };
}

/** Products of rows and weights in 8 bits on subgroup matrices of i8 that add up in i32. */
export function packedMatrixVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  if (lanes === undefined) return [];
  return byteConfigs(capabilities).flatMap((config) =>
    TILES.flatMap((tile) => variant(tile, layout, config, lanes, capabilities) ?? []).filter((made) =>
      made.runs(capabilities),
    ),
  );
}

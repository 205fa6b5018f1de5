import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';
import type { MatmulVariant } from './matmul.js';
import { halfConfigs, matrixDefines, matrixLanes, matrixWorkgroupRuns, type MatrixLanes } from './subgroup-matrix.js';
import { UNFUSED } from './fusion.js';
import { COLUMN_PADDING, weightDefines, type WeightLayout } from './weights.js';

/** How a workgroup's tile of the output is shared by its subgroups. */
interface Tile {
  /** Rows of x and outputs. */
  readonly m: number;
  readonly n: number;
  /** Subgroups along each. */
  readonly alongM: number;
  readonly alongN: number;
  /** Tiles of the operands in workgroup memory at once: 2 spares a barrier per step and takes twice the memory. */
  readonly stages: 1 | 2;
}

/**
 * Tiles worth trying, best guess first. x is f32, so a row of x costs the caches twice what a row of weights does: of
 * two tiles of equal area the one with more outputs reads less. Larger tiles read less still, smaller ones leave no
 * part of a large GPU idle when the prompt is short.
 */
const TILES: readonly Tile[] = [
  { m: 128, n: 128, alongM: 2, alongN: 2, stages: 1 },
  { m: 128, n: 128, alongM: 2, alongN: 2, stages: 2 },
  { m: 128, n: 256, alongM: 2, alongN: 4, stages: 1 },
  { m: 128, n: 128, alongM: 2, alongN: 4, stages: 2 },
  { m: 64, n: 128, alongM: 1, alongN: 4, stages: 1 },
  { m: 64, n: 128, alongM: 2, alongN: 2, stages: 2 },
  { m: 64, n: 64, alongM: 2, alongN: 2, stages: 1 },
  { m: 32, n: 64, alongM: 1, alongN: 2, stages: 2 },
];

/** Sums that a lane may hold: half of the 256 registers that the most generous GPUs give a thread. */
const MOST_SUMS = 128;

/** Columns of x and of the weights that are staged at once; weights are padded to a multiple of it. */
const TILE_K = COLUMN_PADDING;

/** Staged steps between two promotions of f16 sums to f32. */
const PROMOTE = 4;

function variant(
  { m, n, alongM, alongN, stages }: Tile,
  layout: WeightLayout,
  config: SubgroupMatrixConfig,
  { lanes, pinned }: MatrixLanes,
  capabilities: Capabilities,
): MatmulVariant | undefined {
  const { M, N, K, resultComponentType } = config;
  const subgroups = alongM * alongN;
  const threads = subgroups * lanes;
  const half = resultComponentType === 'f16';
  const [subM, subN] = [m / alongM, n / alongN];
  // Numbers of a strip of sums, one matrix high, in elements of 16 bytes, and how many of them a lane takes.
  const perElement = half ? 8 : 4;
  const stripElements = (M * subN) / perElement;
  const slots = { x: (m * TILE_K) / 8 / threads, w: (n * TILE_K) / 8 / threads };
  const whole = [subM / M, subN / N, TILE_K / K, stripElements / lanes, slots.x, slots.w];
  if (!whole.every(Number.isInteger) || (subM * subN) / lanes > MOST_SUMS) return undefined;
  const pitch = TILE_K / 8 + 1;
  const strip = M * (subN / perElement + 1);
  const elements = Math.max(stages * (m + n) * pitch, subgroups * strip);
  return {
    name: `matrix${M}x${N}x${K}-${m}x${n}${alongM * alongN === 4 ? '' : `-${subgroups}`}${stages === 2 ? '-double' : ''}${half ? '-f16' : ''}`,
    shader: 'matmul_matrix.wgsl',
    bindings: 'uurrw',
    defines: {
      ...matrixDefines(config),
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: true,
      double: stages === 2,
      subgroup_id: capabilities.subgroupId,
      pinned,
      LANES: lanes,
      TILE_M: m,
      TILE_N: n,
      SUB_M: subM,
      SUB_N: subN,
      THREADS: threads,
      STAGED: elements,
      // Repeats of the shader's text.
      ROWS: subM / M,
      COLS: subN / N,
      X_SLOTS: slots.x,
      W_SLOTS: slots.w,
      STRIP_SLOTS: stripElements / lanes,
      PROMOTE,
    },
    phase: 'prefill',
    roundsActivations: true,
    rowsPerGroup: m,
    runs: (adapter) => matrixWorkgroupRuns(adapter, threads, elements * 16),
    groups: (outputs) => Math.ceil(outputs / n),
  };
}

/**
 * Matmuls of many rows on subgroup matrices, for weights of f16 and quantised ones: x, and what quants stand for, are
 * rounded to f16 as they are staged. Configurations
 * that sum in f16 are used where no other is offered, and on CPU drivers, where the tests take what they find.
 */
export function matrixVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  // Of the float formats only f16 needs no conversion; quantised weights are rounded to it as x is.
  if (layout.dtype === 'bf16' || layout.dtype === 'f32' || lanes === undefined) return [];
  const configs = halfConfigs(capabilities);
  const wide = configs.filter(({ resultComponentType }) => resultComponentType === 'f32');
  const used = wide.length > 0 && !capabilities.isCpu ? wide : configs;
  return used.flatMap((config) =>
    TILES.flatMap((tile) => variant(tile, layout, config, lanes, capabilities) ?? []).filter((made) =>
      made.runs(capabilities),
    ),
  );
}

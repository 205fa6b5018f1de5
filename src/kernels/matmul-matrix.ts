import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';
import type { MatmulVariant } from './matmul.js';
import type { PromptRows } from './prompt-rows.js';
import {
  halfConfigs,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupRuns,
  MOST_TURNS,
  type MatrixLanes,
} from './subgroup-matrix.js';
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
  /** Columns that are staged at once. */
  readonly k: 16 | 32 | 64 | 128;
  /** Tiles of the operands in workgroup memory at once: 2 spares a barrier per step and takes twice the memory. */
  readonly stages: 1 | 2;
}

/**
 * Tiles worth trying, best guess for long prompts first: larger ones read less from the caches for a product, smaller ones
 * leave no part of a large GPU idle when the prompt is short, and with more columns at a time wait less often for memory.
 * Two stages of the largest fit 48 KiB with half of the columns each.
 */
const TILES: readonly Tile[] = [
  { m: 256, n: 128, alongM: 4, alongN: 2, k: 32, stages: 1 },
  { m: 256, n: 128, alongM: 4, alongN: 2, k: 16, stages: 2 },
  { m: 128, n: 128, alongM: 2, alongN: 2, k: 32, stages: 1 },
  { m: 128, n: 256, alongM: 2, alongN: 4, k: 32, stages: 1 },
  { m: 128, n: 256, alongM: 2, alongN: 4, k: 16, stages: 2 },
  { m: 128, n: 128, alongM: 2, alongN: 2, k: 16, stages: 2 },
  { m: 128, n: 128, alongM: 2, alongN: 2, k: 32, stages: 2 },
  { m: 128, n: 128, alongM: 2, alongN: 4, k: 32, stages: 2 },
  { m: 128, n: 128, alongM: 2, alongN: 2, k: 64, stages: 1 },
  { m: 64, n: 128, alongM: 2, alongN: 2, k: 64, stages: 1 },
  { m: 64, n: 64, alongM: 2, alongN: 2, k: 128, stages: 1 },
  { m: 64, n: 128, alongM: 1, alongN: 4, k: 32, stages: 1 },
  { m: 64, n: 128, alongM: 2, alongN: 2, k: 32, stages: 2 },
  { m: 128, n: 64, alongM: 4, alongN: 2, k: 32, stages: 1 },
  { m: 64, n: 64, alongM: 2, alongN: 2, k: 32, stages: 1 },
  { m: 32, n: 64, alongM: 1, alongN: 2, k: 32, stages: 2 },
];

/** Sums that a lane may hold: half of the 256 registers that the most generous GPUs give a thread. */
const MOST_SUMS = 128;

/** Columns between two promotions of f16 sums to f32. */
const PROMOTED_COLUMNS = 128;

function variant(
  { m, n, alongM, alongN, k, stages }: Tile,
  rows: PromptRows,
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
  const slots = { x: (m * k) / 8 / threads, w: (n * k) / 8 / threads };
  const whole = [subM / M, subN / N, k / K, stripElements / lanes, slots.x, slots.w];
  if (!whole.every(Number.isInteger) || (subM * subN) / lanes > MOST_SUMS) return undefined;
  // Quants of several rows side by side come in pieces of up to 32 columns.
  if (k < COLUMN_PADDING && layout.lanes > 1) return undefined;
  const pitch = k / 8 + 1;
  const strip = M * (subN / perElement + 1);
  const elements = Math.max(stages * (m + n) * pitch, subgroups * strip);
  const shape = `matrix${M}x${N}x${K}`;
  return {
    name: `${shape}-${m}x${n}${subgroups === 4 ? '' : `-${subgroups}`}${k === 32 ? '' : `-k${k}`}${stages === 2 ? '-double' : ''}${half ? '-f16' : ''}`,
    // Every tile takes the columns one after the other, and starts from what is added where it has no edge.
    order: half ? undefined : shape,
    shader: 'matmul_matrix.wgsl',
    bindings: 'uurrw',
    defines: {
      ...matrixDefines(config),
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: true,
      double: stages === 2,
      long: k > COLUMN_PADDING,
      half_rows: rows === 'f16',
      subgroup_id: capabilities.subgroupId,
      pinned,
      LANES: lanes,
      TILE_M: m,
      TILE_N: n,
      TILE_K8: k / 8,
      MOST_TURNS,
      SUB_M: subM,
      SUB_N: subN,
      THREADS: threads,
      STAGED: elements,
      // Repeats of the shader's text.
      STAGES: stages,
      ROWS: subM / M,
      COLS: subN / N,
      X_SLOTS: slots.x,
      W_SLOTS: slots.w,
      STRIP_SLOTS: stripElements / lanes,
      PROMOTE: PROMOTED_COLUMNS / k,
    },
    phase: 'prefill',
    roundsActivations: true,
    rowsPerGroup: m,
    tile: { m, n, k, stages, threads, bytes: elements * 16, sums: (subM * subN) / lanes },
    runs: (adapter) => matrixWorkgroupRuns(adapter, threads, elements * 16),
    groups: (outputs) => Math.ceil(outputs / n),
  };
}

/**
 * Matmuls of many rows on subgroup matrices, for weights of f16 and quantised ones: what quants stand for, and rows that
 * come in f32, are rounded to f16 as they are staged. Configurations that sum in f16 are used where no other is offered,
 * and on CPU drivers, where the tests take what they find.
 *
 * @param rows what x comes in
 */
export function matrixVariants(
  layout: WeightLayout,
  capabilities: Capabilities,
  rows: Exclude<PromptRows, 'int8'> = 'f32',
): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  // Of the float formats only f16 needs no conversion; quantised weights are rounded to it as x is.
  if (layout.dtype === 'bf16' || layout.dtype === 'f32' || lanes === undefined) return [];
  const configs = halfConfigs(capabilities);
  const wide = configs.filter(({ resultComponentType }) => resultComponentType === 'f32');
  const used = wide.length > 0 && !capabilities.isCpu ? wide : configs;
  return used.flatMap((config) =>
    TILES.flatMap((tile) => variant(tile, rows, layout, config, lanes, capabilities) ?? []).filter((made) =>
      made.runs(capabilities),
    ),
  );
}

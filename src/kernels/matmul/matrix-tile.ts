import type { Capabilities, SubgroupMatrixConfig } from '../../gpu/capabilities.js';
import { matrixDefines, MOST_TURNS, type MatrixLanes } from '../subgroup-matrix.js';
import { weightDefines, type WeightLayout } from '../weights.js';
import { UNFUSED } from './fusion.js';

/** How a workgroup's tile of the output is shared by its subgroups. */
export interface SharedTile {
  /** Rows of x and outputs. */
  readonly m: number;
  readonly n: number;
  /** Subgroups along each. */
  readonly alongM: number;
  readonly alongN: number;
}

/** The subgroups of a tile, their threads, and the rows and outputs that each makes. */
export function partsOf({ m, n, alongM, alongN }: SharedTile, lanes: number) {
  const subgroups = alongM * alongN;
  return { subgroups, threads: subgroups * lanes, subM: m / alongM, subN: n / alongN };
}

/** The end of a variant's name: `-128x64-8`, the subgroups where they are not four. */
export const tileName = ({ m, n, alongM, alongN }: SharedTile): string =>
  `${m}x${n}${alongM * alongN === 4 ? '' : `-${alongM * alongN}`}`;

/** What `matrix_main.wgsl`, and the shaders that go on where it ends, are made of. */
export function tileDefines(
  tile: SharedTile,
  config: SubgroupMatrixConfig,
  { lanes, pinned }: MatrixLanes,
  layout: WeightLayout,
  capabilities: Capabilities,
): Record<string, number | boolean> {
  const { threads, subM, subN } = partsOf(tile, lanes);
  return {
    ...matrixDefines(config),
    ...weightDefines(layout),
    ...UNFUSED,
    // Rows of prompts, behind those that decode.
    prefill: true,
    // The number of a subgroup comes from the adapter, or follows from the thread's.
    subgroup_id: capabilities.subgroupId,
    // Subgroups of LANES must be asked for.
    pinned,
    // Threads of a subgroup.
    LANES: lanes,
    // Of a workgroup.
    THREADS: threads,
    // Rows of x that a workgroup makes.
    TILE_M: tile.m,
    // Outputs of each.
    TILE_N: tile.n,
    // Of its rows a subgroup's.
    SUB_M: subM,
    // Of its outputs a subgroup's.
    SUB_N: subN,
    // Matrices of sums of a subgroup along the rows, repeats of the shader's text.
    ROWS: subM / config.M,
    // Along the outputs.
    COLS: subN / config.N,
    // The bound of a loop that is left by `break`.
    MOST_TURNS,
  };
}

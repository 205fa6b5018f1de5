import type { Capabilities } from '../gpu/capabilities.js';
import { quantFormat } from '../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import { packedMatrixVariants } from './matmul-matrix-packed.js';
import type { MatmulVariant } from './matmul.js';
import { MOST_TURNS } from './subgroup-matrix.js';
import { laneRows, weightDefines, type WeightLayout } from './weights.js';

/** Numbers that lie beside each other in a vector; a repeat of the shaders' text. */
const SQUARE = 4;

/** Blocks of outputs a subgroup makes beside each other on CPU drivers; more spill. */
const LANE_BLOCKS = 4;

function tiled(layout: WeightLayout, fours: 1 | 2): MatmulVariant {
  const tile = 64 * fours;
  const bytes = 2 * 8 * (tile + 4) * 4 + tile * 12;
  return {
    name: `dot4-${tile}`,
    shader: 'matmul_packed.wgsl',
    bindings: 'uurrw',
    defines: {
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: true,
      half_rows: false,
      MOST_TURNS,
      FOURS: fours,
      SQUARE,
    },
    phase: 'prefill',
    rowsPerGroup: tile,
    runs: (adapter) => adapter.packedDot && adapter.maxInvocations >= 256 && adapter.maxWorkgroupBytes >= bytes,
    groups: (n) => Math.ceil(n / tile),
  };
}

/** Lanes with outputs of their own; for the layout in which their rows lie side by side. */
function lanesOf(layout: WeightLayout, rows: number): MatmulVariant {
  const { lanes } = layout;
  return {
    name: `dot4-lanes${rows}`,
    shader: 'matmul_lanes_packed.wgsl',
    bindings: 'uurrw',
    defines: {
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: true,
      half_rows: false,
      LANES: lanes,
      MT: rows,
      RB: LANE_BLOCKS,
      SQUARE,
    },
    phase: 'prefill',
    rowsPerGroup: rows,
    runs: (adapter) => adapter.packedDot && lanes > 1 && lanes === laneRows(adapter),
    groups: (n) => Math.ceil(n / (lanes * LANE_BLOCKS)),
  };
}

/**
 * Products of prompts' rows in 8 bits with weights of 8 bits, best first: sums over a group of weights are whole
 * numbers, so a row has the same bits whatever rows are beside it. None for weights of another width.
 */
export function packedVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  if (quantFormat(layout.dtype)?.bits !== 8) return [];
  const tiles = [tiled(layout, 1), tiled(layout, 2)];
  const matrix = packedMatrixVariants(layout, capabilities);
  return capabilities.isCpu ? [lanesOf(layout, 4), ...tiles, ...matrix] : [...matrix, ...tiles];
}

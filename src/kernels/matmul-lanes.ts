import { quantFormat } from '../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import type { MatmulVariant } from './matmul.js';
import { MOST_TURNS } from './subgroup-matrix.js';
import { laneRows, weightDefines, type WeightLayout } from './weights.js';

/** Blocks of outputs a subgroup makes beside each other; more spill. */
const LANE_BLOCKS = 4;

/** Lanes with outputs of their own; for the layout in which their rows lie side by side. */
export function laneKernel(rows: number, phase: 'decode' | 'prefill', layout: WeightLayout): MatmulVariant {
  const { lanes, dtype } = layout;
  const format = quantFormat(dtype);
  const chunked = format !== undefined && rows <= 2;
  // Four units, to which rows are padded, in as few loads as bring them; with more rows the products are what costs.
  const chunks = chunked
    ? { chunked, UNITS: 4, CHUNK_LOADS: 16 / format.bits, CHUNKS: format.bits / 4 }
    : { chunked, UNITS: 1, CHUNK_LOADS: 1, CHUNKS: 1 };
  return {
    name: `lanes${rows}`,
    order: 'lanes',
    shader: 'matmul_lanes.wgsl',
    bindings: 'uurrw',
    defines: {
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: phase === 'prefill',
      MOST_TURNS,
      LANES: lanes,
      MT: rows,
      RB: LANE_BLOCKS,
      SHARES: 8 / lanes,
      ...chunks,
      LANE_PAIRS: lanes / 2,
    },
    phase,
    rowsPerGroup: rows,
    runs: (adapter) => lanes > 1 && lanes === laneRows(adapter),
    groups: (n) => Math.ceil(n / (lanes * LANE_BLOCKS)),
  };
}

import { quantFormat } from '../../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import type { MatmulVariant } from './kernel.js';
import { MOST_TURNS } from '../subgroup-matrix.js';
import { TOLERANCE, variantOf } from '../variant.js';
import { laneRows, weightDefines, type WeightLayout } from '../weights.js';

/** Blocks of outputs a subgroup makes beside each other; more spill. */
const LANE_BLOCKS = 4;

/** Numbers that lie beside each other in a vector; a repeat of the shader's text. */
const SQUARE = 4;

/** Units of columns that a turn takes. */
interface Turn {
  /** Weights are loaded 16 bytes at a time, in `CHUNKS` of `CHUNK_LOADS` units. */
  readonly chunked: boolean;
  /** Units of eight columns. */
  readonly UNITS: number;
  /** Loads of 16 bytes of weights, where they are chunked. */
  readonly CHUNKS: number;
  /** Units in each. */
  readonly CHUNK_LOADS: number;
}

/** Of floats, and of quants with more rows than two, where the products are what costs: a unit. */
const UNIT_TURN: Turn = { chunked: false, UNITS: 1, CHUNKS: 1, CHUNK_LOADS: 1 };

/** Of quants, four units, to which rows are padded, in as few loads as bring them. */
const quantTurn = (bits: number): Turn => ({ chunked: true, UNITS: 4, CHUNKS: bits / 4, CHUNK_LOADS: 16 / bits });

/** Lanes with outputs of their own; for the layout in which their rows lie side by side. */
export function laneKernel(rows: number, phase: 'decode' | 'prefill', layout: WeightLayout): MatmulVariant {
  const format = quantFormat(layout.dtype);
  return lanesOf(rows, phase, layout, format !== undefined && rows <= 2 ? quantTurn(format.bits) : UNIT_TURN, {
    name: `lanes${rows}`,
    order: 'lanes',
    tolerance: TOLERANCE.f32,
    needs: ['subgroups'],
  });
}

/** The same of prompts' rows and weights in 8 bits. */
export function dot8LaneKernel(rows: number, layout: WeightLayout): MatmulVariant {
  return lanesOf(rows, 'prefill', layout, quantTurn(8), {
    name: `dot4-lanes${rows}`,
    units: 'dot8',
    sums: 'i32',
    tolerance: TOLERANCE.wholeSums,
    needs: ['packed-dot', 'subgroups'],
  });
}

function lanesOf(
  rows: number,
  phase: 'decode' | 'prefill',
  layout: WeightLayout,
  turn: Turn,
  declared: Pick<MatmulVariant, 'name' | 'order' | 'units' | 'sums' | 'tolerance' | 'needs'>,
): MatmulVariant {
  const { lanes } = layout;
  return variantOf<MatmulVariant>({
    ...declared,
    shader: 'matmul/matmul_lanes.wgsl',
    bindings: 'uurrw',
    defines: {
      ...weightDefines(layout),
      ...UNFUSED,
      // Rows of prompts, behind those that decode.
      prefill: phase === 'prefill',
      // Both operands in 8 bits.
      dot8: declared.units === 'dot8',
      // The bound of a loop that is left by `break`.
      MOST_TURNS,
      // Threads of a subgroup, which is a workgroup.
      LANES: lanes,
      // Rows of x that a subgroup makes.
      MT: rows,
      // Blocks of LANES outputs that it makes of each.
      RB: LANE_BLOCKS,
      // Loads of x, a number a lane, that make up a unit of eight columns.
      SHARES: 8 / lanes,
      // Pairs of columns of such a load.
      LANE_PAIRS: lanes / 2,
      // Numbers of a vector.
      SQUARE,
      // What a turn takes: see `Turn`.
      ...turn,
    },
    phase,
    rowsPerGroup: rows,
    fits: (adapter) => lanes > 1 && lanes === laneRows(adapter),
    groups: (n) => Math.ceil(n / (lanes * LANE_BLOCKS)),
  });
}

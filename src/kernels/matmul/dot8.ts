import type { Capabilities } from '../../gpu/capabilities.js';
import { quantFormat } from '../../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import { dot8LaneKernel } from './lanes.js';
import { dot8MatrixVariants } from './matrix-dot8.js';
import type { MatmulVariant } from './kernel.js';
import { MOST_TURNS } from '../subgroup-matrix.js';
import { TOLERANCE, variantOf } from '../variant.js';
import { weightDefines, type WeightLayout } from '../weights.js';

/** Numbers that lie beside each other in a vector; a repeat of the shaders' text. */
const SQUARE = 4;

function tiled(layout: WeightLayout, fours: 1 | 2): MatmulVariant {
  const tile = 64 * fours;
  const bytes = 2 * 8 * (tile + 4) * 4 + tile * 12;
  return variantOf({
    name: `dot4-${tile}`,
    units: 'dot8',
    sums: 'i32',
    tolerance: TOLERANCE.wholeSums,
    // The larger tile is written out in four times as much text.
    compiles: fours === 2 ? 'seconds' : undefined,
    shader: 'matmul/matmul_dot8.wgsl',
    bindings: 'uurrw',
    defines: {
      ...weightDefines(layout),
      ...UNFUSED,
      // Rows of prompts, behind those that decode.
      prefill: true,
      // x comes in 8 bits.
      half_rows: false,
      // The bound of a loop that is left by `break`.
      MOST_TURNS,
      // Fours of rows, and of outputs, that a thread makes.
      FOURS: fours,
      // Numbers of a vector.
      SQUARE,
    },
    phase: 'prefill',
    rowsPerGroup: tile,
    needs: ['packed-dot'],
    fits: (adapter) => adapter.maxInvocations >= 256 && adapter.maxWorkgroupBytes >= bytes,
    groups: (n) => Math.ceil(n / tile),
  });
}

/**
 * Products of prompts' rows in 8 bits with weights of 8 bits, best first: sums over a group of weights are whole
 * numbers, so a row has the same bits whatever rows are beside it. None for weights of another width.
 */
export function dot8Variants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  if (quantFormat(layout.dtype)?.bits !== 8) return [];
  const tiles = [tiled(layout, 1), tiled(layout, 2)];
  const matrix = dot8MatrixVariants(layout, capabilities);
  return capabilities.isCpu ? [dot8LaneKernel(4, layout), ...tiles, ...matrix] : [...matrix, ...tiles];
}

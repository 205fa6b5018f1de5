import type { Capabilities, SubgroupMatrixConfig } from '../../gpu/capabilities.js';
import type { MatmulVariant } from './kernel.js';
import type { PromptRows } from './prompt-rows.js';
import { halfConfigs, matrixLanes, matrixWorkgroupFits, type MatrixLanes } from '../subgroup-matrix.js';
import { partsOf, tileDefines, tileName, type SharedTile } from './matrix-tile.js';
import { madeOnce, TOLERANCE, variantOf } from '../variant.js';
import { COLUMN_PADDING, type WeightLayout } from '../weights.js';

interface Tile extends SharedTile {
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

/**
 * Whether a name that a record holds is of a matmul on subgroup matrices, of floats or of 8 bits: all are called so,
 * those of old records too. For records only, which hold nothing but names; a variant says its `units`.
 */
export const namesMatrices = (name: string): boolean => /matrix/.test(name);

/** Sums that a lane may hold: half of the 256 registers that the most generous GPUs give a thread. */
const MOST_SUMS = 128;

/** Columns between two promotions of f16 sums to f32. */
const PROMOTED_COLUMNS = 128;

function variant(
  tile: Tile,
  { rows, layout }: { readonly rows: PromptRows; readonly layout: WeightLayout },
  config: SubgroupMatrixConfig,
  subgroup: MatrixLanes,
  capabilities: Capabilities,
): MatmulVariant | undefined {
  const { M, N, K, resultComponentType } = config;
  const { m, n, k, stages } = tile;
  const { lanes } = subgroup;
  const { subgroups, threads, subM, subN } = partsOf(tile, lanes);
  const half = resultComponentType === 'f16';
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
  return variantOf({
    units: 'matrix',
    sums: half ? 'f16' : undefined,
    tolerance: half ? TOLERANCE.halfSums : TOLERANCE.roundedOperands,
    compiles: 'minutes',
    name: `${shape}-${tileName(tile)}${k === 32 ? '' : `-k${k}`}${stages === 2 ? '-double' : ''}${half ? '-f16' : ''}`,
    // Every tile takes the columns one after the other, and starts from what is added where it has no edge.
    order: half ? undefined : shape,
    shader: 'matmul/matmul_matrix.wgsl',
    bindings: 'uurrw',
    defines: {
      ...tileDefines(tile, config, subgroup, layout, capabilities),
      // x comes in f16.
      half_rows: rows === 'f16',
      // More than one stage: a barrier less per step.
      double: stages === 2,
      // Steps that end behind a row.
      long: k > COLUMN_PADDING,
      // Units of eight columns of a step.
      TILE_K8: k / 8,
      // Elements of 16 bytes in workgroup memory.
      STAGED: elements,
      // Steps that are staged at once. This and what follows repeats the shader's text.
      STAGES: stages,
      // Elements of x that a thread has on their way.
      X_SLOTS: slots.x,
      // Elements of weights.
      W_SLOTS: slots.w,
      // Elements of a strip of sums that a lane writes.
      STRIP_SLOTS: stripElements / lanes,
      // Steps between two promotions of f16 sums.
      PROMOTE: PROMOTED_COLUMNS / k,
    },
    phase: 'prefill',
    rowsPerGroup: m,
    tile: { m, n, k, stages, threads, bytes: elements * 16, sums: (subM * subN) / lanes },
    needs: ['subgroup-matrix', 'f16'],
    fits: (adapter) => matrixWorkgroupFits(adapter, threads, elements * 16),
    groups: (outputs) => Math.ceil(outputs / n),
  });
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
): readonly MatmulVariant[] {
  return madeForMatrices(capabilities, layout, rows);
}

const madeForMatrices = madeOnce(
  ({ dtype, lanes }: WeightLayout, rows: 'f32' | 'f16') => `${dtype} ${lanes} ${rows}`,
  makeVariants,
);

function makeVariants(capabilities: Capabilities, layout: WeightLayout, rows: 'f32' | 'f16'): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  // Of the float formats only f16 needs no conversion; quantised weights are rounded to it as x is.
  if (layout.dtype === 'bf16' || layout.dtype === 'f32' || lanes === undefined) return [];
  const configs = halfConfigs(capabilities);
  const wide = configs.filter(({ resultComponentType }) => resultComponentType === 'f32');
  const used = wide.length > 0 && !capabilities.isCpu ? wide : configs;
  return used.flatMap((config) =>
    TILES.flatMap((tile) => variant(tile, { rows, layout }, config, lanes, capabilities) ?? []).filter((made) =>
      made.runs(capabilities),
    ),
  );
}

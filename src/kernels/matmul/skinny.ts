import type { Capabilities, SubgroupMatrixConfig } from '../../gpu/capabilities.js';
import type { Defines } from '../../gpu/shader-source.js';
import { quantFormat } from '../../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import { FEW_SEQUENCES } from './choice.js';
import type { MatmulVariant } from './kernel.js';
import {
  halfConfigs,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupFits,
  MOST_TURNS,
  type MatrixLanes,
} from '../subgroup-matrix.js';
import { TOLERANCE, variantOf } from '../variant.js';
import { unitWords, weightDefines, type WeightLayout } from '../weights.js';

/** What a workgroup makes, and the columns of a stage in parts of 128. */
interface Tile {
  readonly m: 16 | 32;
  readonly n: 16 | 32 | 64;
  readonly parts: 1 | 2;
}

/** Best first of those that make as many rows and outputs. */
const TILES: readonly Tile[] = [
  { m: 16, n: 32, parts: 2 },
  { m: 16, n: 32, parts: 1 },
  { m: 16, n: 64, parts: 1 },
  { m: 16, n: 16, parts: 2 },
  { m: 16, n: 16, parts: 1 },
  { m: 32, n: 32, parts: 1 },
  { m: 32, n: 64, parts: 1 },
  { m: 32, n: 16, parts: 1 },
];

/** Subgroups that share k. Each takes 16 columns of 128, so that their number is part of the order of sums. */
const SUBGROUPS = 8;

/** Sums that a lane may hold: of 16 rows, and of 32, whose workgroups then read the weights once for all. */
const MOST_SUMS = { 16: 64, 32: 128 };

/** Threads that read along a row. */
const ALONG_ROW = 16;

/** Workgroups that leave no multiprocessor of a large GPU idle. */
const ENOUGH_WORKGROUPS = 128;

/** Bytes of weights that a workgroup has on their way: one fills a multiprocessor's share of memory's delay. */
const NAMED_BYTES = 32 << 10;

/** The more outputs, the seldomer x is read; but every multiprocessor wants a workgroup. */
const usualOutputs = (n: number): number => [64, 32].find((each) => n / each >= ENOUGH_WORKGROUPS) ?? 16;

function variant(
  tile: Tile,
  layout: WeightLayout,
  config: SubgroupMatrixConfig,
  { lanes, pinned }: MatrixLanes,
  capabilities: Capabilities,
): MatmulVariant | undefined {
  const { m, n, parts } = tile;
  const { M, N, K } = config;
  const threads = SUBGROUPS * lanes;
  const rowStep = threads / ALONG_ROW;
  const split = quantFormat(layout.dtype) === undefined;
  const halves = split ? 2 : 1;
  if ((m * n * halves) / lanes > MOST_SUMS[m] && !capabilities.isCpu) return undefined;
  if (![m / M, n / N, 16 / K, m / rowStep, n / rowStep].every(Number.isInteger)) return undefined;
  const pitch = 16 * parts + 1;
  const elements = Math.max((m * halves + n) * pitch, SUBGROUPS * M * (n / 4 + 1));
  const bytes = elements * 16 + m * 16 * 4;
  const stageBytes = n * parts * 16 * 4 * unitWords(layout.dtype);
  const depth = capabilities.isCpu ? 2 : Math.min(4, Math.max(2, Math.ceil(NAMED_BYTES / stageBytes)));
  return variantOf({
    units: 'matrix',
    // x in two halves of f16 keeps what f32 says.
    tolerance: split ? TOLERANCE.f32 : TOLERANCE.roundedOperands,
    compiles: 'minutes',
    name: `skinny${M}x${N}x${K}-${m}x${n}${parts === 2 ? '-long' : ''}`,
    order: `skinny${M}x${N}x${K}`,
    shader: 'matmul/matmul_skinny.wgsl',
    bindings: 'uurrw',
    defines: {
      ...matrixDefines(config),
      ...weightDefines(layout),
      ...UNFUSED,
      // Rows of decoding sequences.
      prefill: false,
      // How long a row is is known: `sized` sets it.
      counted: false,
      // x comes in f32.
      half_rows: false,
      // The bound of a loop that is left by `break`.
      MOST_TURNS,
      // x is taken in two halves of f16.
      split,
      // The number of a subgroup is a builtin.
      subgroup_id: capabilities.subgroupId,
      // Subgroups of LANES must be asked for.
      pinned,
      // Threads of a subgroup.
      LANES: lanes,
      // Of a workgroup; they share k.
      SUBGROUPS,
      // Of a workgroup.
      THREADS: threads,
      // Rows of x that a workgroup makes.
      TILE_M: m,
      // Outputs of each.
      TILE_N: n,
      // Numbers of f16 that stand for one of x.
      HALVES: halves,
      // Elements of 16 bytes there.
      STAGED: elements,
      // Stages of weights on their way. This and what follows repeats the shader's text.
      DEPTH: depth,
      // Parts of 128 columns of a stage.
      PARTS: parts,
      // Rows of x that a thread brings.
      X_ROWS: m / rowStep,
      // Rows of weights that it brings.
      W_ROWS: n / rowStep,
      // Matrices of sums along the rows.
      M_TILES: m / M,
      // Along the outputs.
      N_TILES: n / N,
      // Matrices along a subgroup's 16 columns.
      K_STEPS: 16 / K,
      // Fours of results that a thread adds up.
      ITEMS: Math.ceil((M * n) / 4 / threads),
    },
    phase: 'decode',
    rowsPerGroup: m,
    leastRows: m === 16 ? 1 : 17,
    needs: ['subgroup-matrix', 'f16'],
    fits: (adapter) => matrixWorkgroupFits(adapter, threads, bytes),
    usual: (need) => !capabilities.isCpu && need.sequences > FEW_SEQUENCES && usualOutputs(need.n) === n,
    sized: (units): Defines => ({
      // The loop's turns are known.
      counted: true,
      // Units of eight columns of a row.
      K8: units,
    }),
    groups: (outputs) => Math.ceil(outputs / n),
  });
}

/**
 * Products for up to 32 rows, each weight read once, on subgroup matrices that add up in f32; for weights of f16 and
 * quantised ones, which are rounded to f16. All of one shape of matrices have one order of sums.
 */
export function skinnyVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  const lanes = matrixLanes(capabilities);
  if (layout.dtype === 'bf16' || layout.dtype === 'f32' || layout.lanes > 1 || lanes === undefined) return [];
  return halfConfigs(capabilities)
    .filter(({ resultComponentType }) => resultComponentType === 'f32')
    .flatMap((config) =>
      TILES.flatMap((tile) => variant(tile, layout, config, lanes, capabilities) ?? []).filter((made) =>
        made.runs(capabilities),
      ),
    );
}

import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';
import type { Defines } from '../gpu/shader-source.js';
import { quantFormat } from '../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import { FEW_SEQUENCES } from './matmul-choice.js';
import type { MatmulVariant } from './matmul.js';
import {
  halfConfigs,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupRuns,
  MOST_TURNS,
  type MatrixLanes,
} from './subgroup-matrix.js';
import { unitWords, weightDefines, type WeightLayout } from './weights.js';

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
  return {
    name: `skinny${M}x${N}x${K}-${m}x${n}${parts === 2 ? '-long' : ''}`,
    order: `skinny${M}x${N}x${K}`,
    shader: 'matmul_skinny.wgsl',
    bindings: 'uurrw',
    defines: {
      ...matrixDefines(config),
      ...weightDefines(layout),
      ...UNFUSED,
      prefill: false,
      counted: false,
      half_rows: false,
      MOST_TURNS,
      split,
      subgroup_id: capabilities.subgroupId,
      pinned,
      LANES: lanes,
      SUBGROUPS,
      THREADS: threads,
      TILE_M: m,
      TILE_N: n,
      HALVES: halves,
      STAGED: elements,
      // Repeats of the shader's text.
      DEPTH: depth,
      PARTS: parts,
      X_ROWS: m / rowStep,
      W_ROWS: n / rowStep,
      M_TILES: m / M,
      N_TILES: n / N,
      K_STEPS: 16 / K,
      ITEMS: Math.ceil((M * n) / 4 / threads),
    },
    phase: 'decode',
    roundsActivations: !split,
    rowsPerGroup: m,
    leastRows: m === 16 ? 1 : 17,
    runs: (adapter) => matrixWorkgroupRuns(adapter, threads, bytes),
    usual: (need) => !capabilities.isCpu && need.sequences > FEW_SEQUENCES && usualOutputs(need.n) === n,
    sized: (units): Defines => ({ counted: true, K8: units }),
    groups: (outputs) => Math.ceil(outputs / n),
  };
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

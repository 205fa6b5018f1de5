import type { Capabilities, SubgroupMatrixConfig } from '../gpu/capabilities.js';
import { headDefines, kvDefines, paddedHeadDim, type HeadShape, type KvStored } from './attention-shape.js';
import type { PrefillAttentionVariant } from './attention.js';
import {
  halfConfigs,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupRuns,
  MOST_TURNS,
  type MatrixLanes,
} from './subgroup-matrix.js';

/** Subgroups of a workgroup. */
const SUBGROUPS = 4;

/** Fewest rows of a sequence in a tile; query heads that share a KV head fill the rest of a workgroup's rows. */
const LEAST_QUERIES = 16;

/** Numbers a lane may hold: its part of the queries (f16) and of the sums (f32), in words. */
const MOST_WORDS = 192;

/** Powers of two by which a score may pass a row's reference: weights of up to 2048 are far from f16's end. */
const SLACK = 11;

/** Query heads of a workgroup: as many of a group as leave `LEAST_QUERIES` rows each. */
function sharedHeads({ heads, kvHeads }: HeadShape, rows: number): number {
  const group = heads / kvHeads;
  for (let share = Math.min(group, rows / LEAST_QUERIES); share > 1; share--) {
    if (group % share === 0 && rows % share === 0) return share;
  }
  return 1;
}

function variant(
  shape: HeadShape,
  kv: KvStored,
  half: boolean,
  config: SubgroupMatrixConfig,
  { lanes, pinned }: MatrixLanes,
  capabilities: Capabilities,
): PrefillAttentionVariant | undefined {
  const { M, N, K } = config;
  const subRows = lanes >= 32 ? Math.max(M, 16) : M;
  const rows = SUBGROUPS * subRows;
  const share = sharedHeads(shape, rows);
  const threads = SUBGROUPS * lanes;
  // A CPU driver spells every matrix out in its text; half the keys take half as long to compile.
  const keys = capabilities.isCpu ? 16 : 32;
  const team = Math.max(1, lanes / subRows);
  const segment = keys / team;
  const unit = Math.max(N, K);
  const width = Math.ceil(paddedHeadDim(shape.headDim) / unit) * unit;
  const whole = [subRows / M, keys / N, keys / K, segment / 8, width / N, width / K, Math.max(1, subRows / lanes)];
  if (!whole.every(Number.isInteger) || ![1, 2, 4].includes(team)) return undefined;
  if ((subRows * width * 1.5) / lanes > MOST_WORDS) return undefined;
  const pitch = (width / 8) | 1;
  const valuesAt = Math.max(keys * pitch, rows * ((keys / 8) | 1));
  const scoresAt = Math.max(valuesAt + keys * pitch, rows * pitch);
  const elements = scoresAt + Math.max(rows * (keys / 4 + 1), SUBGROUPS * M * (N / 4 + 1));
  const loads = (numbers: number, by: number): number => Math.ceil(numbers / by);
  return {
    name: `matrix${M}x${N}x${K}`,
    shader: 'attention_matrix.wgsl',
    bindings: 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      ...kvDefines(kv),
      ...matrixDefines(config),
      subgroup_id: capabilities.subgroupId,
      pinned,
      rolled: false,
      half_rows: half,
      LANES: lanes,
      THREADS: threads,
      ROWS: rows,
      SUB_ROWS: subRows,
      SHARE: share,
      QUERIES: rows / share,
      KEYS: keys,
      WIDTH: width,
      TEAM: team,
      SLACK,
      VALUES_AT: valuesAt,
      SCORES_AT: scoresAt,
      STAGED: elements,
      MOST_TURNS,
      QUERY_LOADS: loads(rows * (width / 8), threads),
      KEY_LOADS: loads(keys * (width / 8), threads),
      STRIP_LOADS: loads(M * (N / 4), lanes),
      // Repeats of the shader's text.
      STRIPS: subRows / M,
      LANE_ROWS: Math.max(1, subRows / lanes),
      KEY_COLS: keys / N,
      QK_STEPS: width / K,
      PV_STEPS: keys / K,
      OUT_COLS: width / N,
      SEGMENT_PAIRS: segment / 8,
      OTHERS: team - 1,
    },
    queries: rows / share,
    heads: share,
    roundsActivations: true,
    runs: (adapter) => matrixWorkgroupRuns(adapter, threads, elements * 16 + (rows * team + keys) * 4 + 4),
  };
}

/**
 * Prefill attention on subgroup matrices, best first: over a cache of f16 or int8 and with sums of f32. None over a
 * cache of f32, which small models have so that nothing is rounded.
 *
 * @param half whether rows are written in f16
 */
export function matrixAttentionVariants(
  shape: HeadShape,
  kv: KvStored,
  capabilities: Capabilities,
  half = false,
): PrefillAttentionVariant[] {
  const lanes = matrixLanes(capabilities);
  if (kv === 'f32' || lanes === undefined) return [];
  return halfConfigs(capabilities)
    .filter(({ resultComponentType }) => resultComponentType === 'f32')
    .flatMap((config) => variant(shape, kv, half, config, lanes, capabilities) ?? [])
    .filter((made) => made.runs(capabilities));
}

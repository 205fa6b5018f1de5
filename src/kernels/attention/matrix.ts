import type { Capabilities, SubgroupMatrixConfig } from '../../gpu/capabilities.js';
import { attentionDefines, kvDefines, paddedHeadDim, type HeadShape, type KvStored } from './shape.js';
import type { PrefillAttentionVariant } from './kernel.js';
import { TOLERANCE, variantOf } from '../variant.js';
import {
  halfConfigs,
  matrixDefines,
  matrixLanes,
  matrixWorkgroupFits,
  MOST_TURNS,
  type MatrixLanes,
} from '../subgroup-matrix.js';

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
  { lanes, pinned, capabilities }: MatrixLanes & { readonly capabilities: Capabilities },
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
  return variantOf({
    name: `matrix${M}x${N}x${K}`,
    units: 'matrix',
    shader: 'attention/attention_matrix.wgsl',
    bindings: 'uurrrrrw',
    defines: {
      ...attentionDefines(shape),
      ...kvDefines(kv),
      ...matrixDefines(config),
      // The number of a subgroup is a builtin.
      subgroup_id: capabilities.subgroupId,
      // Subgroups of LANES must be asked for.
      pinned,
      // Loops may be unrolled.
      rolled: false,
      // Rows are written in f16.
      half_rows: half,
      // Threads of a subgroup.
      LANES: lanes,
      // Of a workgroup.
      THREADS: threads,
      // Rows of scores of a workgroup: query heads times tokens.
      ROWS: rows,
      // Of those a subgroup's.
      SUB_ROWS: subRows,
      // Query heads that share the keys of a workgroup.
      SHARE: share,
      // Tokens whose queries a workgroup has.
      QUERIES: rows / share,
      // Keys of a turn.
      KEYS: keys,
      // Numbers of a head, up to whole matrices.
      WIDTH: width,
      // Lanes that share a row of scores.
      TEAM: team,
      // Powers of two by which a score may pass its row's reference.
      SLACK,
      // Where values begin in workgroup memory, in elements of 16 bytes.
      VALUES_AT: valuesAt,
      // Where scores begin there.
      SCORES_AT: scoresAt,
      // Elements of workgroup memory.
      STAGED: elements,
      // The bound of a loop that is left by `break`.
      MOST_TURNS,
      // Elements of queries that a thread loads.
      QUERY_LOADS: loads(rows * (width / 8), threads),
      // Elements of keys, and of values, that it loads.
      KEY_LOADS: loads(keys * (width / 8), threads),
      // Fours of a strip of results that a lane writes.
      STRIP_LOADS: loads(M * (N / 4), lanes),
      // Strips of matrices in a subgroup's rows. This and what follows repeats the shader's text.
      STRIPS: subRows / M,
      // Rows of scores that a lane looks after.
      LANE_ROWS: Math.max(1, subRows / lanes),
      // Matrices of scores along the keys.
      KEY_COLS: keys / N,
      // Matrices of a head that are multiplied for a score.
      QK_STEPS: width / K,
      // Matrices of keys that are multiplied for a result.
      PV_STEPS: keys / K,
      // Matrices of results along a head.
      OUT_COLS: width / N,
      // Eights of keys of a lane's part of a row.
      SEGMENT_PAIRS: segment / 8,
      // Lanes of a team beside the first.
      OTHERS: team - 1,
    },
    queries: rows / share,
    heads: share,
    // Queries and weights are rounded. A query's error is one of the score times the score's size, here a few units,
    // which exp turns into a relative one of its weight.
    tolerance: TOLERANCE.roundedOperands,
    compiles: 'minutes',
    needs: ['subgroup-matrix', 'f16'],
    fits: (adapter) => matrixWorkgroupFits(adapter, threads, elements * 16 + (rows * team + keys) * 4 + 4),
  });
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
    .flatMap((config) => variant(shape, kv, half, config, { ...lanes, capabilities }) ?? [])
    .filter((made) => made.runs(capabilities));
}

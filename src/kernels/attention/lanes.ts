import type { Capabilities } from '../../gpu/capabilities.js';
import { attentionDefines, kvDefines, type HeadShape, type KvStored } from './shape.js';
import { TOLERANCE, variantOf, type Variant } from '../variant.js';
import { laneRows } from '../weights.js';

/** Rows of queries for which a subgroup of `lanes` loads keys and values once; more would spill. */
export const LANE_QUERIES = 8;

/** What `attention_lanes.wgsl` is made of, for `rows` rows of queries. */
export function lanesKernel(
  shape: HeadShape,
  kv: KvStored,
  rows: number,
  decode: boolean,
  capabilities: Capabilities,
): Variant {
  const lanes = laneRows(capabilities);
  return variantOf({
    name: decode ? 'split-lanes' : 'flash-lanes',
    shader: 'attention/attention_lanes.wgsl',
    bindings: decode ? 'uurrrrrww' : 'uurrrrrw',
    defines: {
      ...attentionDefines(shape),
      ...kvDefines(kv),
      // Rows of decoding sequences, whose contexts are cut into parts; tiles of prompts otherwise.
      decode,
      // Loops stay loops: what a CPU driver unrolls it compiles for long.
      rolled: true,
      // Threads of a subgroup, which is a workgroup.
      LANES: lanes,
      // Rows of queries that share a key.
      MT: rows,
      // Keys that a lane scores at once. Few rows make little of what is loaded for them, so they score more with it.
      KB: rows > 4 ? 2 : 4,
      // Loads of queries, a number a lane, that make up eight columns.
      SHARES: 8 / lanes,
      // Pairs of columns of such a load.
      LANE_PAIRS: lanes / 2,
      // Pairs of columns of the output, words of a cache of int8, that a lane owns.
      PART_BLOCKS: Math.ceil(shape.headDim / (kv === 'int8' ? 4 : 2) / lanes),
    },
    tolerance: TOLERANCE.softmax,
    needs: ['subgroups'],
    fits: (adapter) => lanes > 1 && laneRows(adapter) === lanes,
  });
}

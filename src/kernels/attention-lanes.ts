import type { Capabilities } from '../gpu/capabilities.js';
import { headDefines, kvDefines, type HeadShape, type KvStored } from './attention-shape.js';
import type { Variant } from './variant.js';
import { laneRows } from './weights.js';

/** Rows of queries for which a subgroup of `lanes` loads keys and values once; more would spill. */
export const LANE_QUERIES = 8;

/** What `attention_lanes.wgsl` is made of, for `rows` rows of queries. */
export function lanesKernel(
  shape: HeadShape,
  kv: KvStored,
  rows: number,
  decode: boolean,
  capabilities: Capabilities,
): Omit<Variant, 'name'> {
  const lanes = laneRows(capabilities);
  return {
    shader: 'attention_lanes.wgsl',
    bindings: decode ? 'uurrrrrww' : 'uurrrrrw',
    defines: {
      ...headDefines(shape),
      ...kvDefines(kv),
      decode,
      rolled: true,
      LANES: lanes,
      MT: rows,
      // Few rows make little of what is loaded for them, so they score more keys with it.
      KB: rows > 4 ? 2 : 4,
      SHARES: 8 / lanes,
      LANE_PAIRS: lanes / 2,
      PART_BLOCKS: Math.ceil(shape.headDim / (kv === 'int8' ? 4 : 2) / lanes),
    },
    runs: (adapter) => lanes > 1 && laneRows(adapter) === lanes,
  };
}

import type { Capabilities } from '../../gpu/capabilities.js';
import type { DecodeAttentionVariant } from './decode.js';
import {
  DECODE_TILE,
  attentionDefines,
  kvDefines,
  MOST_PARTS,
  paddedHeadDim,
  type HeadShape,
  type KvStored,
} from './shape.js';
import { TOLERANCE, variantOf } from '../variant.js';

/** Lanes that share a key at most: more would add up scores for longer than they load. */
const MOST_LANES = 16;
/** Loads of eight columns that a thread has under way for keys, and as many for values. */
const LOADS = 4;
/** Threads of a workgroup. */
const THREADS = { least: 32, most: 256 };
/** Sums of eight columns that a thread may hold, of all heads. */
const MOST_SUMS = 8;
/** Bytes of workgroup memory for what teams have summed. */
const GATHERED_BYTES = 16384;
/** Parts whose results are asked for at once where they are joined; a CPU driver would compile so many for long. */
const joinedParts = ({ isCpu }: Capabilities): number => (isCpu ? 2 : 16);

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

/** The largest divisor of `count` that is no more than `most`. */
function divisor(count: number, most: number): number {
  let found = Math.max(1, Math.min(count, Math.floor(most)));
  while (count % found !== 0) found--;
  return found;
}

/** What `attention_rows.wgsl` is made of; the same text for any size of subgroups. */
export function rowsKernel(shape: HeadShape, kv: KvStored, capabilities: Capabilities): DecodeAttentionVariant {
  const padded = paddedHeadDim(shape.headDim);
  const eighths = padded / 8;
  const team = Math.min(powerOfTwo(eighths), MOST_LANES, Math.max(1, capabilities.subgroupMinSize));
  const each = Math.ceil(eighths / team);
  let threads = THREADS.least;
  const gathers = (count: number): boolean => (count / team) * padded * 4 <= GATHERED_BYTES;
  while (threads < THREADS.most && ((DECODE_TILE * team) / threads) * each > LOADS && gathers(2 * threads))
    threads *= 2;
  const rows = threads / team;
  const heads = divisor(shape.heads / shape.kvHeads, MOST_SUMS / each);
  const together = divisor(heads, GATHERED_BYTES / (rows * padded * 4));
  const workgroupBytes = together * rows * padded * 4 + 3 * heads * MOST_PARTS * 4 + 4;
  return variantOf({
    name: 'split-rows',
    shader: 'attention/attention_rows.wgsl',
    bindings: 'uurrrrrww',
    defines: {
      ...attentionDefines(shape),
      ...kvDefines(kv),
      // Loops may be unrolled.
      rolled: false,
      // Lanes that share a key and its value.
      TEAM: team,
      // Steps in which a team adds up its sums.
      SPANS: Math.log2(team),
      // Loads of eight columns that a lane has of a key.
      EIGHTHS: each,
      // Keys of a tile that a team takes in turn.
      EACH: Math.max(1, DECODE_TILE / rows),
      // Of a workgroup.
      THREADS: threads,
      // Query heads of a workgroup.
      HEADS_EACH: heads,
      // Those whose sums are gathered in workgroup memory at once.
      HEADS_TOGETHER: together,
      // Times that sums are gathered.
      BATCHES: heads / together,
      // Parts of a context at most, for the sizes of arrays.
      MOST_PARTS,
      // Parts whose results are asked for at once where they are joined.
      JOINED: joinedParts(capabilities),
    },
    heads,
    joins: true,
    tolerance: TOLERANCE.softmax,
    needs: ['subgroups', 'subgroup-id'],
    fits: ({ subgroupMinSize, maxWorkgroupBytes, maxInvocations }) =>
      subgroupMinSize >= team && maxWorkgroupBytes >= workgroupBytes && maxInvocations >= threads,
  });
}

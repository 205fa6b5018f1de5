import type { BatchShape, Operation, Precision } from '../../model/operations.js';
import { bracketed, expand, type Model } from './models.js';
import { OperationList } from './operation-list.js';

const [LAYERS, HIDDEN, HEADS, VOCAB] = [70, 14336, 112, 250_880];
const HEAD_DIM = HIDDEN / HEADS;

/** Operations with one layer: ALiBi instead of rotary embeddings, multi-head attention, an MLP of 4h with GELU. */
function oneLayer(batch: BatchShape, precision: Precision): Operation[] {
  const list = new OperationList(batch, precision);
  const { tokens, pairs, keys } = list.counts;
  const { kvBytes, kvScaleBytes = 0, activationBytes } = precision;
  const kvRow = 2 * (HIDDEN * kvBytes + HEADS * kvScaleBytes);
  list.embed(HIDDEN);
  list.norm('attn_norm', HIDDEN, { weights: 2 });
  list.matmul('qkv', 3 * HIDDEN, HIDDEN);
  list.add(
    'kv_write',
    'rope',
    { n: 3 * HIDDEN, k: 3 * HIDDEN, split: 'heads' },
    {
      activationBytes: tokens * 4 * HIDDEN * activationBytes,
      kvWriteBytes: tokens * kvRow,
    },
  );
  list.add(
    'attention',
    'attention',
    { n: HIDDEN, k: HIDDEN, split: 'heads' },
    {
      flops: 4 * HEADS * HEAD_DIM * pairs + 6 * HEADS * pairs, // one more than a softmax for ALiBi's slope
      activationBytes: 2 * tokens * HIDDEN * activationBytes,
      kvReadBytes: keys * kvRow,
    },
  );
  list.matmul('o_proj', HIDDEN, HIDDEN, { written: 2 * HIDDEN, split: 'inputs' });
  list.norm('mlp_norm', HIDDEN, { weights: 2 });
  list.matmul('up_proj', 4 * HIDDEN, HIDDEN);
  list.matmul('down_proj', HIDDEN, 4 * HIDDEN, { written: 2 * HIDDEN, split: 'inputs' });
  list.norm('final_norm', HIDDEN, { rows: 'logits', weights: 2 });
  list.matmul('lm_head', VOCAB, HIDDEN, { rows: 'logits' });
  list.sample(VOCAB);
  return list.operations;
}

/** Matrices, biases, norms (two of the layer, one of the embedding, one final) and the embedding, tied to the head. */
const PARAMETERS = LAYERS * (12 * HIDDEN ** 2 + 13 * HIDDEN) + VOCAB * HIDDEN + 4 * HIDDEN;

/** BLOOM-176B (BigScience): the model of Splitwise's and SPAD's clusters. */
export const BLOOM_176B: Model = {
  name: 'bloom-176b',
  layers: LAYERS,
  hidden: HIDDEN,
  heads: HEADS,
  vocab: VOCAB,
  parameters: PARAMETERS,
  activeParameters: PARAMETERS,
  maxPositions: 2048,
  kvElements: 2 * LAYERS * HIDDEN,
  kvScales: 2 * LAYERS * HEADS,
  kvShards: HEADS,
  segments: (batch, precision) => bracketed(oneLayer(batch, precision), LAYERS),
  operations: (batch, precision) => expand(bracketed(oneLayer(batch, precision), LAYERS)),
};

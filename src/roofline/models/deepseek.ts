import { phaseOf, type BatchShape, type Operation, type Precision } from '../../model/operations.js';
import { expand, type Model, type Segment } from './models.js';
import { OperationList } from './operation-list.js';

/** DeepSeek-V2 (236B): `config.json` of deepseek-ai/DeepSeek-V2. */
const HIDDEN = 5120;
const [LAYERS, DENSE_LAYERS] = [60, 1];
const HEADS = 128;
const [NOPE, ROPE, VALUE] = [128, 64, 128];
const [Q_RANK, KV_RANK] = [1536, 512];
const [ROUTED, ACTIVE, SHARED] = [160, 6, 2];
const [EXPERT_WIDTH, DENSE_WIDTH] = [1536, 12_288];
const VOCAB = 102_400;
const LATENT = KV_RANK + ROPE;

/**
 * Experts that at least one of n tokens goes to, when each takes k of E at random: E (1 - (1 - k/E)^n). Their weights
 * are what a step has to read.
 */
export function distinctExperts(experts: number, active: number, tokens: number): number {
  return experts * (1 - (1 - active / experts) ** tokens);
}

/**
 * Multi-head latent attention. The cache holds a latent of 512 and a rotary key of 64 numbers a token. Prefill expands
 * the latent to keys and values of 192 and 128 a head; decode multiplies the expansion into queries and outputs
 * instead and attends in the latent space, so that the cache is read as it is.
 */
function attention(list: OperationList, decode: boolean): void {
  const { tokens, pairs, keys } = list.counts;
  const { kvBytes, kvScaleBytes = 0, activationBytes, weightBytes } = list.precision;
  const kvRow = LATENT * kvBytes + kvScaleBytes;
  const expansion = HEADS * (NOPE + VALUE);
  list.norm('attn_norm', HIDDEN);
  list.matmul('q_a', Q_RANK, HIDDEN, { split: 'whole' });
  list.norm('q_norm', Q_RANK);
  list.matmul('q_b', HEADS * (NOPE + ROPE), Q_RANK);
  list.matmul('kv_a', LATENT, HIDDEN, { split: 'whole' });
  list.add(
    'rope_kv',
    'rope',
    { n: LATENT, k: LATENT, split: 'heads' },
    {
      flops: 3 * tokens * (HEADS + 1) * ROPE + 4 * tokens * KV_RANK,
      activationBytes: tokens * (2 * HEADS * ROPE + LATENT) * activationBytes,
      kvWriteBytes: tokens * kvRow,
    },
  );
  const expanded = decode ? tokens : keys;
  list.add(
    'kv_b',
    'matmul',
    { n: expansion, k: KV_RANK, split: 'outputs' },
    {
      flops: 2 * expanded * expansion * KV_RANK,
      weightBytes: tokens === 0 ? 0 : expansion * KV_RANK * weightBytes,
      activationBytes: expanded * (decode ? 2 * HEADS * (NOPE + KV_RANK) : KV_RANK + expansion) * activationBytes,
    },
  );
  const wide = decode ? LATENT + KV_RANK : NOPE + ROPE + VALUE;
  list.add(
    'attention',
    'attention',
    { n: HEADS * VALUE, k: HEADS * (NOPE + ROPE), split: 'heads' },
    {
      flops: 2 * HEADS * wide * pairs + 5 * HEADS * pairs,
      activationBytes: (tokens * HEADS * wide + (decode ? 0 : keys * HEADS * wide)) * activationBytes,
      kvReadBytes: keys * kvRow,
    },
  );
  list.matmul('o_proj', HIDDEN, HEADS * VALUE, { written: 2 * HIDDEN, split: 'inputs' });
  list.norm('mlp_norm', HIDDEN);
}

function mlp(list: OperationList, prefix: string, width: number): void {
  list.matmul(`${prefix}gate_up`, 2 * width, HIDDEN, { written: width });
  list.matmul(`${prefix}down_proj`, HIDDEN, width, { written: 2 * HIDDEN, split: 'inputs' });
}

function routed(list: OperationList): void {
  const { tokens } = list.counts;
  const { weightBytes, activationBytes } = list.precision;
  const read = distinctExperts(ROUTED, ACTIVE, tokens);
  const expert = (name: string, n: number, k: number, written: number, split: 'outputs' | 'inputs') =>
    list.add(
      name,
      'matmul',
      { n, k, split },
      {
        flops: 2 * tokens * ACTIVE * n * k,
        weightBytes: read * n * k * weightBytes,
        activationBytes: tokens * ACTIVE * (k + written) * activationBytes,
      },
    );
  list.matmul('router', ROUTED, HIDDEN, { split: 'whole' });
  expert('experts_gate_up', 2 * EXPERT_WIDTH, HIDDEN, EXPERT_WIDTH, 'outputs');
  expert('experts_down_proj', HIDDEN, EXPERT_WIDTH, 2 * HIDDEN, 'inputs');
}

function segments(batch: BatchShape, precision: Precision): Segment[] {
  const decode = phaseOf(batch) === 'decode';
  const part = (count: number, fill: (list: OperationList) => void): Segment => {
    const list = new OperationList(batch, precision);
    fill(list);
    return { count, operations: list.operations };
  };
  return [
    part(1, (list) => list.embed(HIDDEN)),
    part(DENSE_LAYERS, (list) => {
      attention(list, decode);
      mlp(list, '', DENSE_WIDTH);
    }),
    part(LAYERS - DENSE_LAYERS, (list) => {
      attention(list, decode);
      mlp(list, 'shared_', SHARED * EXPERT_WIDTH);
      routed(list);
    }),
    part(1, (list) => {
      list.norm('final_norm', HIDDEN, { rows: 'logits' });
      list.matmul('lm_head', VOCAB, HIDDEN, { rows: 'logits' });
      list.sample(VOCAB);
    }),
  ];
}

/** Parameters with so many routed experts counted in each layer that has them. */
function parameters(experts: number): number {
  const attentionWeights =
    HIDDEN * Q_RANK +
    Q_RANK * HEADS * (NOPE + ROPE) +
    HIDDEN * LATENT +
    KV_RANK * HEADS * (NOPE + VALUE) +
    HEADS * VALUE * HIDDEN;
  const norms = 2 * HIDDEN + Q_RANK + KV_RANK;
  const expert = 3 * HIDDEN * EXPERT_WIDTH;
  return (
    LAYERS * (attentionWeights + norms) +
    DENSE_LAYERS * 3 * HIDDEN * DENSE_WIDTH +
    (LAYERS - DENSE_LAYERS) * ((experts + SHARED) * expert + ROUTED * HIDDEN) +
    2 * VOCAB * HIDDEN +
    HIDDEN
  );
}

const operationsOf = (batch: BatchShape, precision: Precision): Operation[] => expand(segments(batch, precision));

export const DEEPSEEK_V2: Model = {
  name: 'deepseek-v2',
  layers: LAYERS,
  hidden: HIDDEN,
  heads: HEADS,
  vocab: VOCAB,
  parameters: parameters(ROUTED),
  activeParameters: parameters(ACTIVE),
  maxPositions: 163_840,
  kvElements: LAYERS * LATENT,
  kvScales: LAYERS,
  kvShards: HEADS, // sequences are divided among chips, whose latents are not copied
  routing: { experts: ROUTED, active: ACTIVE, layers: LAYERS - DENSE_LAYERS },
  segments,
  operations: operationsOf,
};

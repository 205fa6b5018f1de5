import type { Operation, Precision } from '../../model/operations.js';

/**
 * The part of an operation that one of `chips` does under tensor parallelism (Megatron's division: heads and MLP
 * columns, two all-reduces a layer). Routed experts are divided among chips instead, which on average is the same.
 */
export function shard(operation: Operation, chips: number, kvShards: number, precision: Precision): Operation {
  const { kind, split, m, n, k } = operation;
  if (chips === 1 || split === 'whole') return operation;
  // What each chip reads and writes whole: its input when outputs are divided, the sum and residual when inputs are.
  const byInputs = split === 'inputs';
  const whole = kind !== 'matmul' ? 0 : m * (byInputs ? 2 * n : k) * precision.activationBytes;
  const replicated = Math.min(whole, operation.activationBytes);
  const kvParts = Math.min(chips, kvShards);
  return {
    ...operation,
    n: kind === 'matmul' && !byInputs ? n / chips : n,
    k: kind === 'matmul' && byInputs ? k / chips : k,
    flops: operation.flops / chips,
    weightBytes: operation.weightBytes / chips,
    activationBytes: replicated + (operation.activationBytes - replicated) / chips,
    kvReadBytes: operation.kvReadBytes / kvParts,
    kvWriteBytes: operation.kvWriteBytes / kvParts,
  };
}

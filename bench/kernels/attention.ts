import type { Capabilities } from '../../src/gpu/capabilities.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import { usualSplitTokens } from '../../src/kernels/attention/decode.js';
import { attentionVariants } from '../../src/kernels/attention/kernel.js';
import { attentionTrial, attentionTrialData } from '../../src/kernels/attention/trial.js';
import type { ModelConfig } from '../../src/model/config.js';
import { forwardOperations } from '../../src/model/cost.js';
import { kvPrecision } from '../../src/roofline/hardware/precision.js';
import type { Point } from './point.js';

const SPLITS = [64, 128, 256, 512];

/** More than this many rows are a prompt's, not decoding sequences'. */
export const MOST_DECODE_ROWS = 32;

/** As many key heads as keep a launch within bounds, with the query heads that share them. */
function slice(
  config: ModelConfig,
  cost: { flops: number; kvReadBytes: number },
  isCpu: boolean,
): Pick<ModelConfig, 'heads' | 'kvHeads'> {
  const most = isCpu ? { flops: 2e9, bytes: 64 << 20 } : { flops: Infinity, bytes: 1 << 30 };
  const share = Math.min(1, most.flops / cost.flops, most.bytes / cost.kvReadBytes);
  const kvHeads = Math.max(1, Math.floor(config.kvHeads * share));
  return { kvHeads, heads: (config.heads / config.kvHeads) * kvHeads };
}

/** Decode of `rows` sequences that each have `context` tokens, or a chunk of `rows` tokens after them. */
export function attentionPoint(
  { name: model, config: whole }: { readonly name: string; readonly config: ModelConfig },
  { kv, rows, context }: { readonly kv: KvStored; readonly rows: number; readonly context: number },
  capabilities: Capabilities,
): Point {
  const decode = rows <= MOST_DECODE_ROWS;
  const costOf = (config: ModelConfig) => {
    const sequences = decode
      ? Array.from({ length: rows }, () => ({ newTokens: 1, context }))
      : [{ newTokens: rows, context }];
    const precision = { weightBytes: 2, ...kvPrecision(kv), activationBytes: 4 };
    const list = forwardOperations({ ...config, layers: 1 }, { sequences, logitRows: 1 }, precision);
    return list.find(({ kind }) => kind === 'attention')!;
  };
  const part = slice(whole, costOf(whole), capabilities.isCpu);
  const cost = costOf({ ...whole, ...part });
  const shape = { ...part, headDim: whole.headDim };
  const describe = ({ heads, kvHeads }: typeof part): string => `${heads}/${kvHeads}x${whole.headDim}`;
  const usualSplit = usualSplitTokens(capabilities);
  return {
    kind: 'attention',
    model,
    operation: decode ? 'attention, decode' : 'attention, prefill',
    shape: describe(whole),
    slice: part.heads === whole.heads ? null : describe(part),
    dtype: kv,
    rows,
    context,
    bytes: cost.kvReadBytes + cost.activationBytes,
    flops: cost.flops,
    async prepare(gpu, workingBytes) {
      const phase = decode ? 'decode' : 'prefill';
      const data = await attentionTrialData(gpu, { phase, shape, kv, rows, context }, workingBytes);
      const splits = decode ? SPLITS.filter((split, i) => i === 0 || split < 2 * (context + 1)) : [usualSplit];
      const variants = attentionVariants(shape, kv, gpu.capabilities)[phase];
      return variants.flatMap((variant, i) =>
        splits.map((split) => ({
          variant: decode ? `${variant.name}, parts of ${split}` : variant.name,
          isDefault: i === 0 && split === usualSplit,
          units: variant.units ?? 'scalar',
          make: () => attentionTrial(gpu, data, variant.name, split),
        })),
      );
    },
  };
}

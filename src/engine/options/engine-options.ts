import { KV_STORED } from '../../kernels/attention/shape.js';
import { POOLINGS } from '../../model/pooling.js';
import { ACTIVATION_DTYPES } from '../../quantization/activations.js';
import { GROUP_SIZES, QUANTIZED_DTYPES } from '../../quantization/formats.js';
import { DEFAULT_POLICY, POLICY_NAMES } from '../../scheduler/policies/index.js';
import type { EngineOptionName } from '../../wording.js';
import type { EngineOptions } from '../api.js';
import type { OptionEntry } from './entry.js';
import { anyText, bytes, number, oneOf, oneOfNumbers, text, toggle, whole } from './kinds.js';

export const FLOAT_DTYPES = ['f16', 'bf16', 'f32'] as const;
/** What `dtype` may be, the formats that spell out their groups left out. */
export const WEIGHT_DTYPES = ['auto', ...FLOAT_DTYPES, 'int8', 'int4'] as const;

const dtype = oneOf<NonNullable<EngineOptions['dtype']>>(WEIGHT_DTYPES, QUANTIZED_DTYPES);

/** What an engine option's value is. */
export type EngineOptionValue<K extends EngineOptionName> = K extends keyof EngineOptions
  ? NonNullable<EngineOptions[K]>
  : number;

/** Sequences that run together unless told otherwise. */
const SEQUENCES = 8;
/** Tokens that must agree with an earlier place before what followed there is guessed. */
const LOOKUP = 3;

/** The options of `Engine.load`. Values are chosen where the model is known; what stands here holds for any. */
export const ENGINE_OPTIONS = {
  model: {
    kind: text('a folder, a Hub name or a preset'),
    flags: '--model <model>',
    help: 'a Hugging Face folder, a Hub name (owner/name) or a preset; a small story model is built in',
  },
  adapter: {
    kind: anyText,
    flags: '--adapter <name>',
    help: 'part of the name of an adapter; see "ridgepoint devices"',
  },
  dtype: {
    kind: dtype,
    flags: '--dtype <type>',
    help: `weights on the GPU: ${WEIGHT_DTYPES.join(', ')}; the last two quantise while loading`,
    default: 'auto',
  },
  groupSize: {
    kind: oneOfNumbers<number>(GROUP_SIZES),
    flags: '--group-size <n>',
    help: 'columns that share a scale: 32 (int4), 64 or 128 (int8)',
  },
  zeroPoints: {
    kind: toggle,
    flags: '--zero-points',
    help: 'int8 and int4 with a zero point for each group, which fits lopsided weights better',
    default: false,
  },
  headDtype: {
    kind: dtype,
    flags: '--head-dtype <type>',
    help: 'embedding and lm_head: as --dtype; f16 beside quantised layers by default',
    default: 'auto',
  },
  activations: {
    kind: oneOf(ACTIVATION_DTYPES),
    flags: '--activations <type>',
    help: 'what projections of prompts multiply: f32, or int8 beside int8 weights',
    default: 'f32',
  },
  kvDtype: {
    kind: oneOf(['auto', ...KV_STORED]),
    flags: '--kv-dtype <type>',
    help: 'keys and values in the cache: auto, f16, f32, or int8 with a scale for each head of a token',
    default: 'auto',
  },
  weights: {
    kind: oneOf(['checkpoint', 'synthetic']),
    flags: '--weights <source>',
    help: 'checkpoint, or synthetic: pseudo-random numbers, for trying a size',
    default: 'checkpoint',
  },
  chatTemplate: {
    kind: text('the text of a template', 'the path of a file'),
    flags: '--chat-template <file>',
    help: 'Jinja chat template to use instead of the model’s own',
  },
  contextLength: {
    kind: whole(1),
    flags: '--context-length <n>',
    help: 'longest sequence to make room for',
    // At most, where the model has more positions; a cache for 128k tokens would surprise.
    default: 4096,
  },
  policy: {
    kind: oneOf(POLICY_NAMES),
    flags: '--policy <name>',
    help: `how prompts and decoding share the GPU: ${POLICY_NAMES.join(', ')}`,
    default: DEFAULT_POLICY,
  },
  maxSequences: {
    kind: whole(1),
    flags: '--max-num-seqs <n>',
    help: `sequences that may run together, default ${SEQUENCES}`,
    default: SEQUENCES,
  },
  maxBatchedTokens: {
    kind: whole(1),
    flags: '--max-num-batched-tokens <n>',
    help: 'most tokens in one forward pass',
  },
  prefillChunk: {
    kind: whole(1),
    flags: '--prefill-chunk <n>',
    help: 'most prompt tokens in one forward pass',
    // Without subgroup matrices, which want larger tiles.
    default: 512,
  },
  autotune: {
    kind: toggle,
    flags: '--no-autotune',
    help: 'the default kernels, not those measured to be fastest on this adapter',
    default: true,
  },
  kvCacheTokens: {
    kind: whole(1),
    flags: '--kv-cache-tokens <n>',
    help: 'tokens of all sequences together that the KV cache has room for',
  },
  kvCacheBytes: {
    kind: bytes,
    flags: '--kv-cache-memory <size>',
    help: 'memory for keys and values, such as 512MiB or 8GiB; default: what the sequences need, where there is room',
  },
  kvReserve: {
    kind: number({ low: 0, high: 1 }),
    flags: '--kv-reserve <share>',
    help: 'share of the KV cache that may be set aside for keys and values from elsewhere',
    default: 0.5,
  },
  logitRows: { kind: whole(1) },
  prefixCaching: {
    kind: toggle,
    flags: '--no-prefix-caching',
    help: 'compute every prompt anew, also where it begins like an earlier one',
    default: true,
  },
  pooling: {
    kind: oneOf(POOLINGS),
    flags: '--pooling <way>',
    help: `how hidden states become embeddings: ${POOLINGS.join(', ')}; default: as the model says, if it is one for embeddings`,
  },
  'speculate.tokens': {
    kind: whole(1),
    flags: '--speculate <n>',
    help: 'guess up to n tokens ahead where the text repeats itself; the text stays the same',
  },
  'speculate.lookup': {
    kind: whole(1),
    flags: '--speculate-lookup <n>',
    help: `tokens that must repeat before a guess, default ${LOOKUP}`,
    default: LOOKUP,
  },
  decodeSloMs: {
    kind: number({ low: 0, above: true }),
    flags: '--decode-slo <ms>',
    help: 'with decode-priority: longest a step should take',
    default: 50,
  },
  checkWeights: {
    kind: toggle,
    flags: '--check-weights',
    help: 'refuse NaN and infinite weights',
    default: false,
  },
} as const satisfies { [K in EngineOptionName]: OptionEntry<EngineOptionValue<K>> };

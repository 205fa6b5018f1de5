import { z } from 'zod';
import { DEFAULT_POLICY, POLICY_NAMES } from '../scheduler/policies/index.js';
import { ENGINE_IDS } from '../roofline/hardware/engines.js';
import { FIRST_TOKEN_AT, ROLES } from './cluster.js';
import { LOAD_PREDICTORS } from './load-predictors.js';
import { USUAL_BLOCK_TOKENS } from './machine-pool.js';
import { ROUTING } from './router.js';

const count = z.int().positive();

const poolSchema = z.strictObject({
  name: z.string().min(1).describe('how tables call it'),
  role: z
    .enum(ROLES)
    .default('both')
    .describe(
      'whole requests, prompts up to the first token, what follows it, or either where one of the two has too much to do',
    ),
  count: count.default(1).describe('machines'),
  chip: z.string().describe('a row of "predict list", this-machine, or the file of a calibration'),
  chips: count.default(1).describe('chips of a machine, which share the model by tensor parallelism'),
  engine: z.enum(ENGINE_IDS).default('none').describe('whose host and kernels steps are priced with'),
  price: z
    .string()
    .default('predict')
    .describe(
      'predict, llmcompass (operators in the manner of LLMCompass, for chips whose cores are known), table:FILE (perf_model.csv of splitwise-sim, mlp.csv of Vidur with all_reduce.csv beside it for several chips, or the dense table of a profile in the format of LLMServingSim), or linear:FILE#MODEL#TP',
    ),
  host_ms: z.number().nonnegative().default(0).describe('milliseconds of the host that each step takes in addition'),
  policy: z.enum(POLICY_NAMES).default(DEFAULT_POLICY),
  decode_slo_ms: z.number().positive().default(50).describe('of the policy decode-priority'),
  max_batch_tokens: count.default(2048).describe('most rows of a step'),
  chunk: count.optional().describe('most rows of prompts of a step'),
  max_sequences: count.default(256).describe('most sequences that hold memory at once on a machine'),
  kv_tokens: count
    .optional()
    .describe('tokens of KV cache of a machine; absent: what its memory leaves beside the weights'),
  block_tokens: count
    .optional()
    .describe(
      `tokens of a block of the cache; absent: ${USUAL_BLOCK_TOKENS}, and 1 where a machine serves one request at a time`,
    ),
  depth: z
    .union([z.literal(1), z.literal(2), z.literal(3)])
    .default(1)
    .describe('steps planned ahead: 1 as vLLM, 2 as this engine'),
});

/** The file `ridgepoint simulate` takes. Unknown keys are refused: a misspelt one would change an answer in silence. */
export const clusterSchema = z.strictObject({
  model: z.string().describe('a model of "predict list", or a folder with a config.json'),
  weights: z.string().default('f16').describe('format of the weights'),
  kv: z.enum(['f16', 'f32', 'int8']).default('f16').describe('format of the KV cache'),
  pools: z.array(poolSchema).min(1),
  transfer: z
    .strictObject({
      bytes_per_second_per_chip: z.number().positive(),
      latency_ms: z.number().nonnegative().default(0),
      mode: z.enum(['after', 'layerwise']).default('layerwise'),
      overlap: z
        .number()
        .min(0)
        .max(1)
        .default(0.9)
        .describe('share of the bytes that may move while the prompt is computed'),
      shared: z.boolean().default(true).describe('transfers share the links of their machines'),
      first_token_at: z
        .enum(FIRST_TOKEN_AT)
        .default('prefill')
        .describe('where the first token counts: where it is made, or where the cache has arrived'),
    })
    .optional(),
  reallocation: z
    .strictObject({
      every_s: z.number().positive().default(30).describe('seconds between two looks'),
      predictor: z.enum(LOAD_PREDICTORS).default('holt').describe('what says how much comes in the next period'),
      drain: z.boolean().default(true).describe('a machine finishes what it has before it changes its phase'),
    })
    .optional()
    .describe('machines for prompts and machines that decode change their phase as the load does'),
  reference: z
    .strictObject({ chip: z.string(), chips: count.default(1) })
    .optional()
    .describe(
      'the machine that slowdowns are relative to, a request alone on it; absent: the first pool that takes prompts',
    ),
  router: z
    .strictObject({
      prefill: z.enum(ROUTING).default('least-tokens'),
      decode: z.enum(ROUTING).default('least-kv'),
    })
    .default({ prefill: 'least-tokens', decode: 'least-kv' }),
});

export type ClusterFile = z.infer<typeof clusterSchema>;
export type PoolFile = ClusterFile['pools'][number];

export const clusterJsonSchema = (): object => z.toJSONSchema(clusterSchema, { target: 'draft-2020-12', io: 'input' });

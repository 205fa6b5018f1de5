import * as z from 'zod';
import { generationFields } from './generation.js';
import { listOf } from './list.js';
import { responseInput } from './response-input.js';
import { distinct, functionFields, MOST_TOOLS, toTool, type ToolChoice } from './tools.js';

const schema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected a JSON schema',
);
const format = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      name: z.string(),
      schema,
      description: z.string().nullish(),
      strict: z.boolean().nullish(),
    }),
  ],
  { error: 'expected a type of "text", "json_object" or "json_schema"' },
);

const tool = z
  .object({
    type: z.literal('function', { error: 'only functions are supported by this server' }),
    ...functionFields,
  })
  .transform(toTool);

const reference = z.object({ type: z.literal('function'), name: z.string() });
const choice = z
  .union(
    [
      z.enum(['none', 'auto', 'required']).transform((mode): ToolChoice => ({ mode })),
      reference.transform(({ name }): ToolChoice => ({ mode: 'required', names: [name], single: true })),
      z
        .object({
          type: z.literal('allowed_tools'),
          mode: z.enum(['auto', 'required']),
          tools: listOf(reference, MOST_TOOLS),
        })
        .transform(({ mode, tools }): ToolChoice => ({ mode, names: tools.map(({ name }) => name) })),
    ],
    { error: 'expected "none", "auto", "required", a function or a list of allowed tools' },
  )
  .optional();

/** As much as OpenAI's API takes: it is kept, and stands in several events of a stream. */
const MOST_PAIRS = 16;
const MOST_KEY = 64;
const MOST_VALUE = 512;
const metadata = z
  .custom<Readonly<Record<string, unknown>>>(isShort, `expected up to ${MOST_PAIRS} short texts by their names`)
  .optional();

function isShort(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const pairs = Object.entries(value) as [string, unknown][];
  const fits = ([key, text]: [string, unknown]): boolean =>
    key.length <= MOST_KEY && (typeof text === 'string' ? text.length <= MOST_VALUE : typeof text !== 'object');
  return pairs.length <= MOST_PAIRS && pairs.every(fits);
}

/** Body of `POST /v1/responses`. */
export const responsesRequest = z.object({
  ...generationFields,
  n: z.literal(1).default(1),
  input: responseInput,
  instructions: z.string().optional(),
  max_output_tokens: z.int().min(1).optional(),
  previous_response_id: z.string().optional(),
  store: z.boolean().default(true),
  metadata,
  parallel_tool_calls: z.boolean().default(true),
  tools: listOf(tool, MOST_TOOLS).refine(distinct.check, distinct.error).optional(),
  tool_choice: choice,
  text: z
    .object({
      format: format.nullish(),
      verbosity: z.literal('medium', { error: 'verbosity is not supported by this server' }).nullish(),
    })
    .optional(),
  reasoning: z
    .object({
      effort: z.string().nullish(),
      // Thoughts are there whole, so there is nothing to summarise.
      summary: z.string().nullish(),
      generate_summary: z.string().nullish(),
    })
    .optional(),
  include: z
    .array(z.string())
    .max(64)
    .refine(
      (list) => !list.includes('message.output_text.logprobs'),
      'log-probabilities are not supported in responses',
    )
    .optional(),
  truncation: z
    .literal('disabled', { error: 'leaving out what does not fit is not supported by this server' })
    .optional(),
});

export type ResponsesRequest = z.output<typeof responsesRequest>;
